/// The sum of all elements, as a single number.
///
/// ```swift
/// sum(Tensor([1, 2, 3])).item  // 6
/// ```
public func sum(_ x: Tensor) -> Tensor {
  let total = (0..<x.count).reduce(0.0) { $0 + Double(x.pointer[$1]) }
  return Tensor([Float(total)], shape: []).recorded(from: [x]) { dy in
    x.receive(Tensor(repeating: dy.item, shape: x.shape))
  }
}
