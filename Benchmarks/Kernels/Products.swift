import Kernels

/// The linear layers of the MLP and the CNN.
func products() -> [(String, Work)] {
  let sizes = [
    (128, 784, 1024), (128, 1024, 128), (128, 12544, 128), (128, 128, 83), (1, 12544, 128),
    (1, 784, 1024),
  ]
  return sizes.flatMap { n, inputs, outputs in
    let (x, weight, y) = (floats(n * inputs), floats(outputs * inputs), floats(n * outputs))
    let (dx, dWeight) = (floats(n * inputs), floats(outputs * inputs))
    let operations = Double(2 * n * inputs * outputs)
    let name = "\(n)×\(inputs)→\(outputs)"
    return [
      (
        "linear \(name)",
        Work(operations: operations) {
          linear(x: x, weight: weight, bias: nil, y: y, n: n, inputs: inputs, outputs: outputs)
        }
      ),
      (
        "linear \(name) by x",
        Work(operations: operations) {
          linearInputGradient(
            dy: y, weight: weight, dx: dx, n: n, inputs: inputs, outputs: outputs)
        }
      ),
      (
        "linear \(name) by weight",
        Work(operations: operations) {
          linearWeightGradient(
            dy: y, x: x, dWeight: dWeight, n: n, inputs: inputs, outputs: outputs)
        }
      ),
    ]
  }
}
