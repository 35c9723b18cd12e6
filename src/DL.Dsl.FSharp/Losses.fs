namespace DL

open DL.Core
open DL.Core.Losses

/// <summary>A loss: from predictions and targets to its mean over the batch and the gradient of the predictions, in one pass.</summary>
[<NoEquality; NoComparison>]
type Loss<'y, 't> =
    {
        /// <summary>Its name.</summary>
        Name: string
        /// <summary>Fails unless the targets fit predictions of the given shape; nothing is computed before.</summary>
        Check: Shape<'y> -> Batch<'t> -> unit
        /// <summary>The value and the gradient of the predictions.</summary>
        Evaluate: Batch<'y> -> Batch<'t> -> struct (float * Batch<'y>)
    }
