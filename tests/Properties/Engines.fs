/// Runs laws on every matrix engine this machine has.
module DL.Properties.Engines

open DL.Core.Kernels
open DL.Laws

/// The names of all engines, the one in use first.
let names = [ for engine in Blas.Available -> engine.Name ]

let private on (engine: BlasEngine) (law: Law) : Law =
    let check settings =
        let before = Blas.Chosen
        Blas.Chosen <- engine

        try
            law.Check settings
        finally
            Blas.Chosen <- before

    { law with Name = $"{law.Name} [{engine.Name}]"; Check = check }

/// The laws once for every engine: for whatever multiplies matrices.
let each (laws: Law list) : Law list =
    [ for engine in Blas.Available do
          for law in laws -> on engine law ]
