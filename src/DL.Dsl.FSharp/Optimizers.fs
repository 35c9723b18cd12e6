namespace DL

open DL.Core

type Optimizer =
    { Name: string
      Rate: float
      Moments: int
      Update: int -> float -> Tensor -> Tensor -> Tensor[] -> unit }

[<RequireQualifiedAccess>]
module Optimizer =
    let sgd rate = { Name = "sgd"; Rate = rate; Moments = 0; Update = fun _ _ _ _ _ -> () }
    let adam rate = { Name = "adam"; Rate = rate; Moments = 2; Update = fun _ _ _ _ _ -> () }
