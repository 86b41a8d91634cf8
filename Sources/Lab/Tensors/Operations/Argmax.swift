/// The index of the largest element along the last dimension, of the first one among equals: the
/// predicted class of each row of logits.
///
/// ```swift
/// argmax(Tensor([1, 3, 2, 9, 0, 9], shape: [2, 3]))  // tensor([1, 0])
/// ```
public func argmax(_ x: Tensor) -> IntTensor {
  let classes = x.shape.last ?? 1
  let shape = Array(x.shape.dropLast())
  let elements = (0..<shape.reduce(1, *)).map { row in
    let source = x.pointer + row * classes
    // As in PyTorch a NaN counts as the largest.
    return (0..<classes).reduce(0) { best, index in
      source[index] > source[best] || (source[index].isNaN && !source[best].isNaN) ? index : best
    }
  }
  return IntTensor(elements, shape: shape)
}

/// How many rows of logits have their largest element at the index that the row's label says.
///
/// ```swift
/// countCorrect(Tensor([1, 3, 2, 9, 0, 9], shape: [2, 3]), IntTensor([1, 2]))  // tensor(1.)
/// ```
///
/// - Parameters:
///   - logits: Scores of shape N × classes.
///   - labels: N classes.
/// - Returns: A tensor of one element, on no tape.
package func countCorrect(_ logits: Tensor, _ labels: IntTensor) -> Tensor {
  let correct = zip(argmax(logits).elements, labels.elements).count { $0 == $1 }
  return Tensor([Float(correct)], shape: [])
}
