/// A sum of arrays that lie one behind the other: `y[i] = Σ parts[p][i]`.
package struct PartSum {
  let parts, y: DeviceBuffer
  /// The elements of an array.
  let elements: Int
  /// The number of arrays.
  let count: Int

  package init(_ parts: DeviceBuffer, into y: DeviceBuffer, elements: Int, count: Int) {
    (self.parts, self.y, self.elements, self.count) = (parts, y, elements, count)
  }
}
