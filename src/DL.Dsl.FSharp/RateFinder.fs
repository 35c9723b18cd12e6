namespace DL

open System
open DL.Core
open DL.Core.Data

/// <summary>What a search for a learning rate has seen.</summary>
type RateSearch =
    {
        /// <summary>The learning rates tried, rising.</summary>
        Rates: float list
        /// <summary>The loss at each, smoothed over the steps before.</summary>
        Losses: float list
        /// <summary>A tenth of the rate at which the smoothed loss is least, a place to begin from.</summary>
        Suggested: float
    }

/// <summary>Finding a learning rate by one short run in which it rises.</summary>
/// <remarks>L. N. Smith, Cyclical learning rates for training neural networks, 2017, section 3.3. The loss is smoothed by
/// <c>s = 0.9 s + 0.1 loss</c>, divided by <c>1 - 0.9^n</c>, and the run ends when it exceeds four times its least value.</remarks>
[<RequireQualifiedAccess>]
module RateFinder =
    let private smoothing = 0.9

    /// <summary>Takes steps at rates from low to high, each a constant factor above the last, on a copy of the model.</summary>
    /// <param name="low">The lowest rate, positive, such as 1e-6.</param>
    /// <param name="high">The highest rate, such as 1.</param>
    /// <param name="steps">The number of steps, at least 2.</param>
    /// <param name="trainer">Its rule but for the schedule, its batch size and seed.</param>
    /// <param name="data">The examples; they are gone through as often as it takes.</param>
    /// <param name="model">The model; it is not changed.</param>
    /// <exception cref="T:DL.Core.DLException">The rates or the number of steps are out of range, settings or data do not fit, or the first loss is not finite.</exception>
    let run
        (low: float)
        (high: float)
        (steps: int)
        (trainer: Trainer<'x, 'y, 't>)
        (data: Examples<'x, 't>)
        (model: Model<'x, 'y>)
        : RateSearch =
        if not (Double.IsFinite high && 0.0 < low && low < high) then
            raise (InvalidArgumentException("RateFinder.run", "finite rates above 0, low below high", $"{low} and {high}"))

        if steps < 2 then
            raise (InvalidArgumentException("RateFinder.run, steps", "at least 2", $"{steps}"))

        Trainer.check trainer model data
        let data = Examples.convert (Model.elementType model.Precision) data
        let rate step = low * Math.Pow(high / low, float step / float (steps - 1))
        let rule = { trainer.Rule with Schedule = Some rate }
        let session = Session(rule, Trainer.start rule model)
        let n = Examples.count data

        let batches =
            Seq.initInfinite (fun epoch -> Batches.Indices(n, trainer.BatchSize, uint64 trainer.Seed, epoch + 1))
            |> Seq.collect id

        use batch = batches.GetEnumerator()

        let rec go step average least tried =
            if step = steps || not (batch.MoveNext()) then
                tried
            else
                let average = smoothing * average + (1.0 - smoothing) * session.StepOn(data, batch.Current)
                let smooth = average / (1.0 - Math.Pow(smoothing, float (step + 1)))

                if not (Double.IsFinite smooth) || smooth > 4.0 * least then
                    tried
                else
                    go (step + 1) average (min least smooth) ((rate step, smooth) :: tried)

        match go 0 0.0 infinity [] |> List.rev |> List.unzip with
        | [], _ -> raise (InvalidArgumentException("RateFinder.run", "a finite first loss", "one that is not"))
        | rates, losses ->
            { Rates = rates
              Losses = losses
              Suggested = fst (List.zip rates losses |> List.minBy snd) / 10.0 }

    /// <summary>The loss over the decimal logarithm of the rate.</summary>
    let chart (search: RateSearch) : Chart =
        Chart.lines ("log10 of the learning rate", "loss") [ "smoothed loss", List.zip (List.map log10 search.Rates) search.Losses ]
