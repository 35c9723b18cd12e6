namespace DL

open DL.Core
open DL.Core.Data

/// <summary>Data from files in the forms it is published in.</summary>
[<RequireQualifiedAccess>]
module Sources =
    let private labelled (images: LabelledImages) : Examples<Image, Label> =
        Examples.create (Batch.ofTensor (images.ToChannelsLast())) (Batch.labels images.Labels)

    /// <summary>CIFAR-10 from its binary files: 32 x 32 images of red, green and blue from 0 to 1, ten classes; their names are <c>Cifar.Names</c>.</summary>
    /// <remarks>A. Krizhevsky, Learning multiple layers of features from tiny images, 2009.</remarks>
    /// <param name="paths">Files such as <c>data_batch_1.bin</c>, one after the other.</param>
    /// <exception cref="T:DL.Core.DataFormatException">A file is missing, cut short, or of another format: the message names the record.</exception>
    let cifar10 (paths: string list) : Examples<Image, Label> = labelled (Cifar.Read10(List.toArray paths))

    /// <summary>CIFAR-100 from its binary file, with the 100 fine or the 20 coarse classes.</summary>
    /// <exception cref="T:DL.Core.DataFormatException">The file is missing, cut short, or of another format: the message names the record.</exception>
    let cifar100 (labels: CifarLabels) (path: string) : Examples<Image, Label> = labelled (Cifar.Read100(path, labels))

    /// <summary>Images of PNG, PPM or PGM files, all of one size, from 0 to 1; transparency is left out.</summary>
    /// <exception cref="T:DL.Core.DLException">There is no file, one cannot be read, or its size or channels differ from the first one's: the message names it.</exception>
    let pictures (paths: string list) : Batch<Image> = Batch.ofTensor (Pictures.ReadAll(List.toArray paths))
