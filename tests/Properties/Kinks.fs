/// The derivative taken where there is none, as the certificate states it.
module DL.Properties.Kinks

let private choices =
    [ "Relu", "derivative 0 at 0"
      "relu", "derivative 0 at 0"
      "Relu6", "derivative 0 at 0 and 6"
      "relu6", "derivative 0 at 0 and 6"
      "LeakyRelu", "derivative alpha at 0"
      "leakyRelu", "derivative alpha at 0"
      "Elu", "derivative alpha at 0, the limit from below"
      "HardSigmoid", "derivative 0 at -3 and 3"
      "hardSigmoid", "derivative 0 at -3 and 3"
      "HardSwish", "derivative 0 at -3, 1 at 3"
      "hardSwish", "derivative 0 at -3, 1 at 3"
      "Max", "the first maximum takes the whole gradient"
      "maxFeatures", "the first maximum takes the whole gradient"
      "BinaryCrossEntropy", "derivative 0 where the probability is clipped"
      "MeanAbsoluteError", "derivative 0 at 0"
      "Contrastive", "derivative 0 at distance 0"
      "Triplet", "derivative 0 at distance 0 and where the value becomes 0" ]

/// The choice of a subject, found by its first word.
let choice (subject: string) : string option =
    let word = subject.Split([| ' '; ',' |])[0]
    choices |> List.tryFind (fun (name, _) -> name = word) |> Option.map snd
