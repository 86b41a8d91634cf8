// # Stripes
//
// A notebook of a package that depends on the library.

import ArgumentParser
import Lab
import Literate
import Notebook
import Plot

struct Parameters: ParsableArguments {
  @OptionGroup var common: NotebookOptions
}

let parameters = Parameters.fromCommandLine()
manualSeed(UInt64(parameters.common.seed))

// Stripes of random brightness.
cell("Random stripes")
let levels = Generator(seed: UInt64(parameters.common.seed)).uniform(count: 16, 0, 1)
let stripes = Tensor((0..<16).flatMap { _ in levels }, shape: [16, 16])
inspect(stripes)
print("shape \(stripes.shape)")
var figure = Figure(size: (3, 3))
figure[0].imshow(Image(width: 16, height: 16, values: stripes.elements))
show(figure, as: "stripes", alt: "Sixteen vertical stripes")
