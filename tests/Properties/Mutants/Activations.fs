/// Wrong derivatives of activations.
module DL.Properties.Mutants.Activations

open DL.Properties.Mutants.Hand

let private logistic x = 1.0 / (1.0 + exp -x)
let private identityBack _ _ (dy: float) = dy

let private pair name f right (faults: (string * (float -> float -> float -> float)) list) =
    let hand = elementwise name f right

    faults
    |> List.map (fun (fault, wrong) -> mutant fault hand (fun h -> { elementwise name f wrong with Slots = h.Slots }))

let private softened x = x * logistic x

/// The mutants of this file.
let mutants: Mutant list =
    [ yield!
          pair
              "tanh"
              tanh
              (fun _ y dy -> dy * (1.0 - y * y))
              [ "1 - y instead of 1 - y^2", (fun _ y dy -> dy * (1.0 - y))
                "the derivative at x, not at y", (fun x _ dy -> dy * (1.0 - x * x))
                "no chain: dy forgotten", (fun _ y _ -> 1.0 - y * y)
                "dy squared: not linear", (fun _ y dy -> dy * dy * (1.0 - y * y)) ]
      yield!
          pair
              "sigmoid"
              logistic
              (fun _ y dy -> dy * y * (1.0 - y))
              [ "never below 0.15: wrong where it saturates", (fun _ y dy -> dy * max 0.15 (y * (1.0 - y)))
                "y instead of y (1 - y)", (fun _ y dy -> dy * y) ]
      yield!
          pair
              "relu"
              (max 0.0)
              (fun _ y dy -> if y > 0.0 then dy else 0.0)
              [ "mask of dy instead of y", (fun _ _ dy -> if dy > 0.0 then dy else 0.0)
                "threshold at -0.1", (fun x _ dy -> if x > -0.1 then dy else 0.0)
                "passes everything", identityBack ]
      yield!
          pair
              "leakyRelu"
              (fun x -> if x > 0.0 then x else 0.1 * x)
              (fun x _ dy -> if x > 0.0 then dy else 0.1 * dy)
              [ "slope forgotten below zero", (fun x _ dy -> if x > 0.0 then dy else 0.0) ]
      yield!
          pair
              "silu"
              softened
              (fun x y dy -> dy * (logistic x + y * (1.0 - logistic x)))
              [ "second term of the product rule missing", (fun x _ dy -> dy * logistic x) ]
      yield!
          pair
              "softplus"
              (fun x -> log (1.0 + exp x))
              (fun x _ dy -> dy * logistic x)
              [ "one rounding too coarse: 1e-5 off", (fun x _ dy -> dy * (logistic x + 1e-5)) ] ]
