/// Runs the laws under xUnit: every law is a test of its own name.
module DL.Properties.Hosts.XunitHost

open Xunit

let private checks = dict DL.Properties.Laws.all

/// The name of every law.
let names = TheoryData<string>(DL.Properties.Laws.all |> Seq.map fst)

[<Theory>]
[<MemberData(nameof names)>]
let law (name: string) = checks[name]()
