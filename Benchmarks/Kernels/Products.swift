import Kernels

/// Single products m×k times k×n, from the smallest that are worth a call of a library.
func products() -> [(String, Work)] {
  let sizes = [
    (16, 16, 16), (32, 32, 32), (64, 64, 64), (128, 128, 128), (256, 256, 256), (512, 512, 512),
    (4, 256, 256), (8, 256, 256), (16, 256, 256), (256, 8, 256), (256, 16, 256), (256, 256, 8),
    (256, 256, 16), (112, 64, 64), (784, 64, 64),
  ]
  return sizes.map { m, n, k in
    let (a, b, c) = (floats(m * k), floats(k * n), floats(m * n))
    return (
      "product \(m)×\(k)×\(n)",
      Work(operations: Double(2 * m * n * k)) {
        matrixProduct(
          Matrix(a, stride: k), Matrix(b, stride: n), into: c, stride: n, m: m, n: n, k: k)
      }
    )
  }
}

/// The linear layers of the MLP and the CNN.
func linearLayers() -> [(String, Work)] {
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
