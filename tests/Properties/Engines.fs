/// Runs laws on every matrix engine this machine has.
module DL.Properties.Engines

open DL.Core.Kernels
open DL.Laws

/// The names of all engines, the one in use first.
let names = [ for engine in Blas.Available -> engine.Name ]

/// Native engines that do every product themselves: as a rule they leave all but the largest to the managed kernels.
let private alone =
    [ for engine in Blas.Available do
          if engine.Library <> "" then
              let mutable outcome = ""

              match NativeEngineLoader.Open(engine.Library, &outcome) with
              | null -> failwith $"{engine.Name} cannot be opened twice: {outcome}"
              | second ->
                  second.Alone <- true
                  second ]

let private on (name: string) (engine: BlasEngine) (law: Law) : Law =
    let check settings =
        let before = Blas.Chosen
        Blas.Chosen <- engine

        try
            law.Check settings
        finally
            Blas.Chosen <- before

    { law with Name = $"{law.Name} [{name}]"; Check = check }

/// The laws once for every engine: for whatever multiplies matrices.
let each (laws: Law list) : Law list =
    [ for engine in Blas.Available do
          for law in laws -> on engine.Name engine law ]

/// The laws once for every native library by itself.
let eachAlone (laws: Law list) : Law list =
    [ for engine in alone do
          for law in laws -> on $"{engine.Name} alone" engine law ]
