/// Small cases that many laws share: a length and a seed.
module DL.Properties.Cases

open FsCheck
open FsCheck.FSharp
open DL.Core
open DL.Laws

/// A length, how numbers lie, and where they come from.
type Vector =
    { Length: int
      Numbers: Numbers
      Seed: uint64 }

    override this.ToString() = $"length {this.Length}, numbers {this.Numbers}, seed {this.Seed}"

/// Vectors of every awkward length.
let vectors (extent: Extent) (allowed: Numbers list) : Arbitrary<Vector> =
    let generate =
        Gen.map3
            (fun length numbers seed -> { Length = length; Numbers = numbers; Seed = seed })
            (Generators.length extent)
            (Generators.numbers allowed)
            Generators.seed

    let shrink v =
        seq {
            for n in Generators.shorter extent v.Length do
                { v with Length = n }

            for numbers in Generators.simplerNumbers allowed v.Numbers do
                { v with Numbers = numbers }
        }

    Arb.fromGenShrink (generate, shrink)

/// A law over vectors.
let law subject name extent allowed (evidence: Vector -> Evidence) : Law = Law.create name subject (vectors extent allowed) evidence

/// The n-th tensor of a case, in float64: some rows of its length.
let matrix (v: Vector) (n: int) (rows: int) : Tensor = Numbers.tensor v.Numbers ((Draw v.Seed).Branch(n).Bits()) [ rows; v.Length ]

/// The n-th vector of a case, in float64.
let vector (v: Vector) (n: int) : Tensor = Numbers.tensor v.Numbers ((Draw v.Seed).Branch(n).Bits()) [ v.Length ]

/// The elements.
let numbers (t: Tensor) : float[] = t.ToArray<float>()

/// A tensor of another one's shape and type.
let like (t: Tensor) (x: float[]) : Tensor = Probe.ofNumbers t x

/// The largest distance of two tensors.
let distance (a: Tensor) (b: Tensor) : float = Probe.distance [ a ] [ b ]

/// The largest size of an element.
let largest (t: Tensor) : float = Probe.largest [ t ]

/// a and b agree to a rounding of the larger.
let close what (bound: float) (a: Tensor) (b: Tensor) : Evidence =
    let e = distance a b
    Evidence.within what bound (if e = 0.0 then 0.0 else e / max (largest a) (largest b))

/// Work on so many threads; then there are as many as before.
let withThreads n (work: unit -> 'a) =
    let before = Native.Threads
    Native.Threads <- n

    try
        work ()
    finally
        Native.Threads <- before
