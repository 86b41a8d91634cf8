// TEMPORARY: replaced by the products of another file; not to be merged.
import OpenCLKernels
import Kernels

extension OpenCLBackend {
  private func product(
    _ a: Tensor, _ b: Tensor?, _ shape: [Int], k: Int, _ strides: [Int]
  ) -> Tensor {
    let y = uninitialized(shape)
    queue.run(
      "temporary_product", in: KernelSource(.temporary), count: y.count, rows(a), rows(b ?? a),
      Int32(b == nil ? 0 : 1), rows(y), Int32(shape.last ?? 1), Int32(k), Int32(strides[0]),
      Int32(strides[1]), Int32(strides[2]), Int32(strides[3]))
    return y
  }

  package func linear(_ x: Tensor, weight: Tensor, bias: Tensor?) -> Tensor {
    let (o, i) = (weight.shape[0], weight.shape[1])
    return product(x, weight, [x.shape[0], o], k: i, [i, 1, 1, i])
  }
  package func linearInputGradient(dy: Tensor, x: Tensor, weight: Tensor) -> Tensor {
    let (o, i) = (weight.shape[0], weight.shape[1])
    return product(dy, weight, x.shape, k: o, [o, 1, i, 1])
  }
  package func linearWeightGradient(dy: Tensor, x: Tensor, weight: Tensor) -> Tensor {
    let (o, i) = (weight.shape[0], weight.shape[1])
    return product(dy, x, weight.shape, k: x.shape[0], [1, o, i, 1])
  }
  package func sumRows(_ x: Tensor) -> Tensor {
    product(x, nil, [x.shape[1]], k: x.shape[0], [0, x.shape[1], 0, 1])
  }
}
