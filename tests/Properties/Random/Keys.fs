/// Keys name draws: nothing is drawn twice by chance, nothing depends on what was drawn before.
module DL.Properties.Random.Keys

open DL
open DL.Laws
open DL.Properties.Cases

let private draw (key: DL.Core.Random.Key) n =
    let words = Array.zeroCreate<uint32> n
    DL.Core.Random.Draw.Bits(key, System.Span<uint32> words)
    words

/// The laws of this file.
let laws: Law list =
    [ law "Key" "skip a >> skip b = skip (a + b)" Free [ Ordinary ] (fun v ->
          let key = Key.ofSeed (int v.Seed)
          Evidence.exact "the same key" ((key |> Key.skip v.Length |> Key.skip 5) = (key |> Key.skip (v.Length + 5))))
      law "Key" "equal keys draw equal numbers" Free [ Ordinary ] (fun v ->
          let key = Key.ofSeed (int v.Seed)
          Evidence.exact "the same bits" (draw key v.Length = draw key v.Length))
      law "Key" "a longer draw begins with the shorter one" Free [ Ordinary ] (fun v ->
          let key = Key.ofSeed (int v.Seed)
          Evidence.exact "the same beginning" (Array.take v.Length (draw key (v.Length + 40)) = draw key v.Length))
      law "Key" "other keys draw other numbers" (OneOf [ 8; 16; 33 ]) [ Ordinary ] (fun v ->
          let key = Key.ofSeed (int v.Seed)
          let others = [ Key.skip 1 key; Key.next key; Key.ofSeed (int v.Seed + 1) ]
          Evidence.exact "other bits" (others |> List.forall (fun k -> draw k v.Length <> draw key v.Length))) ]
