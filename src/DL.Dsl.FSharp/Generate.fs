namespace DL

open System
open DL.Core
open DL.Core.Data
open DL.Core.Random
open DL.Core.Generation

/// <summary>How tokens are drawn: change what you like with <c>{ Generate.defaults with Temperature = 0.8 }</c>.</summary>
/// <remarks>The parts come in this order: the repetition penalty, the n-grams that may not repeat, the k most probable, the temperature, the set that
/// reaches the mass p.</remarks>
type Decoding =
    {
        /// <summary>Logits are divided by it: 0 takes the most probable token, under 1 sharpens, over 1 flattens.</summary>
        Temperature: float
        /// <summary>Only so many of the most probable tokens, from 1 to the size of the vocabulary.</summary>
        TopK: int option
        /// <summary>Only the smallest set of the most probable tokens whose mass reaches this, above 0 and at most 1.</summary>
        TopP: float
        /// <summary>What logits of tokens already there are divided by, or multiplied if negative; above 0, and 1 changes nothing.</summary>
        RepetitionPenalty: float
        /// <summary>No n-gram of this length twice, the prompt's among them.</summary>
        NoRepeat: int option
        /// <summary>The tokens that end the text; they are not part of it.</summary>
        Stop: int list
        /// <summary>The most tokens after the prompt.</summary>
        MaxTokens: int
    }

/// <summary>How the most probable continuations are looked for: change what you like with <c>{ Generate.beams with Width = 8 }</c>.</summary>
type Beams =
    {
        /// <summary>How many hypotheses go on at every step, and the most that come out; 1 is greedy.</summary>
        Width: int
        /// <summary>The exponent alpha of <c>score = log probability / ((5 + length) / 6)^alpha</c>, at least 0.</summary>
        LengthPenalty: float
        /// <summary>What logits of tokens already there, in the prompt or the hypothesis, are divided by, or multiplied if negative; above 0, and 1 changes nothing.</summary>
        RepetitionPenalty: float
        /// <summary>No n-gram of this length twice in a hypothesis, the prompt's among them.</summary>
        NoRepeat: int option
        /// <summary>The tokens that end a hypothesis; they are not part of it.</summary>
        Stop: int list
        /// <summary>The most tokens after the prompt, a stop token among them.</summary>
        MaxTokens: int
    }

/// <summary>Text from any network, given as a step: from a state and new tokens to the logits of the next token and the state after them.</summary>
/// <remarks>The state is whatever the network remembers, such as a key/value cache, the states of its cells, or all tokens so far; a step never changes it in
/// place. The first step gets the whole prompt, every later one the token drawn last.</remarks>
[<RequireQualifiedAccess>]
module Generate =
    /// <summary>Draws from the network's own probabilities, up to 100 tokens, with no stop token.</summary>
    let defaults: Decoding =
        { Temperature = 1.0
          TopK = None
          TopP = 1.0
          RepetitionPenalty = 1.0
          NoRepeat = None
          Stop = []
          MaxTokens = 100 }

    /// <summary>As the defaults, but the most probable token every time.</summary>
    let greedy: Decoding = { defaults with Temperature = 0.0 }

    /// <summary>Four hypotheses of up to 100 tokens, the exponent of the length penalty 0.6, free to repeat themselves, no stop token.</summary>
    let beams: Beams =
        { Width = 4
          LengthPenalty = 0.6
          RepetitionPenalty = 1.0
          NoRepeat = None
          Stop = []
          MaxTokens = 100 }

    let private sampling (settings: Decoding) =
        Sampling(
            Temperature = settings.Temperature,
            TopK = Option.toNullable settings.TopK,
            TopP = settings.TopP,
            RepetitionPenalty = settings.RepetitionPenalty,
            NoRepeat = Option.toNullable settings.NoRepeat
        )

    let private checkLength (tokens: int) =
        if tokens < 0 then
            raise (InvalidArgumentException("Generate.tokens, MaxTokens", "at least 0", $"{tokens}"))

    /// <summary>The tokens after the prompt, one after the other as they are drawn.</summary>
    /// <remarks>A pure function: evaluated twice it draws the same tokens. Token i is drawn with the key i steps after the given one. No step is taken
    /// before a token is asked for.</remarks>
    /// <param name="settings">How tokens are drawn.</param>
    /// <param name="key">The key of the first draw.</param>
    /// <param name="step">From a state and new tokens to the logits of the next token and the state after the new tokens.</param>
    /// <param name="start">The state before the prompt.</param>
    /// <param name="prompt">The tokens before the first that is drawn, at least one.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">The prompt is empty or a setting out of range, at once; with the first token, if k is above
    /// the vocabulary's size, a stop token is not of the vocabulary, or the logits allow no token.</exception>
    let tokens (settings: Decoding) (key: Key) (step: 's -> int[] -> struct (float[] * 's)) (start: 's) (prompt: int[]) : seq<int> =
        BeamSearch.CheckPrompt(prompt, "Generate.tokens")
        checkLength settings.MaxTokens
        // A copy, so that the sequence stays the same whatever becomes of the caller's array.
        let prompt = Array.copy prompt
        let sampling = sampling settings
        let stop = List.toArray settings.Stop

        let next (struct (state, fresh: int[], history: int[], key: Key)) =
            if history.Length - prompt.Length >= settings.MaxTokens then
                None
            else
                let struct (logits, after) = step state fresh
                Logits.CheckTokens(stop, logits.Length, "Generate.tokens, Stop")
                let token = sampling.Next(logits, history, key)

                if Array.contains token stop then
                    None
                else
                    Some(token, struct (after, [| token |], Array.append history [| token |], key.Next))

        Seq.unfold next (struct (start, prompt, prompt, key))

    /// <summary>The text after the prompt, character by character as it is drawn: <c>tokens</c> between a tokenizer's ids and its characters.</summary>
    /// <param name="characters">The characters of the network's vocabulary.</param>
    /// <param name="settings">How tokens are drawn.</param>
    /// <param name="key">The key of the first draw.</param>
    /// <param name="step">From a state and new tokens to the logits of the next token and the state after the new tokens.</param>
    /// <param name="start">The state before the prompt.</param>
    /// <param name="prompt">The text before the first character that is drawn, not empty.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">As of <c>tokens</c>; or a character of the prompt is not of the vocabulary.</exception>
    let text
        (characters: CharacterTokenizer)
        (settings: Decoding)
        (key: Key)
        (step: 's -> int[] -> struct (float[] * 's))
        (start: 's)
        (prompt: string)
        : seq<string> =
        let decode (token: int) =
            let one = [| token |]
            characters.Decode one

        characters.Encode prompt |> tokens settings key step start |> Seq.map decode

    /// <summary>The most probable continuations of the prompt that a beam search finds, the best first.</summary>
    /// <remarks>A hypothesis after which every token would repeat an n-gram leaves the search.</remarks>
    /// <param name="settings">Width, length, the weight of the length, and repetition.</param>
    /// <param name="step">From a state and new tokens to the logits of the next token and the state after the new tokens.</param>
    /// <param name="start">The state before the prompt.</param>
    /// <param name="prompt">The tokens before the first one that is looked for, at least one.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">The prompt is empty, a setting is out of range, a stop token is not of the vocabulary, logits are
    /// not sound, or no hypothesis is left because every token would repeat an n-gram.</exception>
    let beam (settings: Beams) (step: 's -> int[] -> struct (float[] * 's)) (start: 's) (prompt: int[]) : Hypothesis list =
        let settings =
            BeamSettings(
                Width = settings.Width,
                LengthPenalty = settings.LengthPenalty,
                RepetitionPenalty = settings.RepetitionPenalty,
                NoRepeat = Option.toNullable settings.NoRepeat,
                Stop = List.toArray settings.Stop,
                MaxTokens = settings.MaxTokens
            )

        BeamSearch.Run(Func<_, _, _>(fun state tokens -> step state tokens), start, prompt, settings) |> List.ofSeq
