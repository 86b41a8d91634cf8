import Kernels
import Lab
import LabTensors
import Testing

/// Elementwise operations and copies.
@Suite(.needsOpenCL) struct ArraysTests {
  static let functions: [@Sendable (Tensor) -> Tensor] = [
    { -$0 }, { exp($0) }, { abs($0) }, { tanh($0) }, { sigmoid($0) }, { gelu($0) }, { silu($0) },
    { relu($0) }, { log($0 + 2) }, { sqrt($0 + 2) }, { 2 / ($0 + 3) }, { 1 - $0 * 3 },
  ]
  static let operations: [@Sendable (Tensor, Tensor) throws -> Tensor] = [
    { try $0 + $1 }, { try $0 - $1 }, { try $0 * $1 }, { try $0 / ($1 * $1 + 1) },
    { try minimum($0, $1) }, { try maximum($0, $1) }, { try $0.where(($1 .> 0).detached, $1 * 2) },
    { try ($0 .< $1) * $0 + ($0 .<= $1) * $1 }, { try ($0 .>= $1) * $0 + ($0 .!= $1) * $1 },
    { try ($0 .> $1) * $0 + ($0 .== $1) * $1 },
  ]

  @Test(arguments: [
    [], [0], [1], [2], [3], [5], [3, 5], [255], [256], [257], [2, 3, 4, 5], [1023], [1025],
    [50_001],
  ])
  func functionsOfOneTensor(shape: [Int]) throws {
    for function in Self.functions { try expectSame([numbers(shape)]) { function($0[0]) } }
    for function in Self.functions where shape.count == 4 {
      try expectSame([numbers(shape)]) { function(imagesOf($0[0])) }
    }
  }

  @Test(arguments: [
    [[1], [1]], [[3, 5], [3, 5]], [[2, 3, 4], [3, 1]], [[4], [2, 1]], [[], [3]], [[7], []],
    [[0], [1]], [[2, 0], [2, 1]], [[31, 33], [33]], [[31, 33], [31, 1]],
    [[2, 1, 4, 1], [3, 1, 5]],
    [[1, 1], [1]], [[257], [257]], [[3, 1, 2, 1, 2, 1], [1, 2, 1, 3, 1, 2]],
    [[1, 300], [300, 1]],
  ])
  func functionsOfTwoTensors(shapes: [[Int]]) throws {
    let (a, b) = (numbers(shapes[0]), numbers(shapes[1], seed: 2))
    for operation in Self.operations {
      try expectSame([a, b]) { try operation($0[0], $0[1]) }
    }
  }

  /// Images with their channels last, as convolutions write them.
  @Test(arguments: [
    [2, 3, 4, 5], [1, 3, 1, 1], [1, 1, 4, 5], [2, 1, 1, 1], [1, 1, 1, 1], [2, 3, 1, 5],
    [2, 3, 4, 1],
  ])
  func operandsMayHaveTheirChannelsLast(shape: [Int]) throws {
    let (a, b) = (numbers([2, 3, 4, 5]), numbers(shape, seed: 2))
    for operation in Self.operations {
      try expectSame([a, b]) { try operation(imagesOf($0[0]), $0[1]) }
      try expectSame([b, a]) { try operation($0[0], imagesOf($0[1])) }
      try expectSame([b, a]) { try operation(imagesOf($0[0]), imagesOf($0[1])) }
    }
    try expectSame([a]) { imagesOf($0[0]) * 2 }
    try expectSame([a]) { try imagesOf($0[0]) + Tensor([1, 2, 3, 4, 5]).to($0[0].device) }
    try expectSame([a]) { try relu(imagesOf($0[0]) + $0[0]) }
  }

  /// More dimensions than a kernel takes, none of which can be merged.
  @Test func manyDimensions() throws {
    let shape = [2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1]
    let other = shape.map { 3 - $0 }
    for operation in Self.operations {
      try expectSame([numbers([Int](shape.prefix(11))), numbers([Int](other.prefix(11)))]) {
        try operation($0[0], $0[1])
      }
    }
    let cube = [Int](repeating: 2, count: 11)
    try expectSame([numbers(cube)]) { try permute($0[0], order: (0..<11).reversed()) }
    try expectSame([numbers(cube)]) { try sum($0[0], axes: [0, 2, 4, 6, 8, 10]) }
    try expectSame([numbers(cube)]) { try max($0[0], axes: [0, 2, 4, 6, 8, 10]) }
  }

  @Test func notANumberAndInfinity() throws {
    let device = try #require(OpenCL.device)
    let values: [Float] = [.nan, .infinity, -.infinity, 0, -0.0, 1, -1, 100, -100]
    let a = Tensor(values.flatMap { value in values.map { _ in value } })
    let b = Tensor(values.flatMap { _ in values })
    for (index, operation) in Self.operations.enumerated() {
      let (got, expected) = (
        try operation(a.to(device), b.to(device)), try operation(a, b)
      )
      expectClose(got, expected, 1e-6, "operation \(index)")
    }
    for (index, function) in Self.functions.enumerated() {
      let x = Tensor(values)
      expectClose(function(x.to(device)), function(x), 1e-6, "function \(index)")
      for y in [Tensor(values), function(x)] {
        try expectSame([y]) { function($0[0]) }
      }
    }
    try device.check()
  }

  @Test(arguments: [0.0, 0.1, 0.5, 0.999, 1.0])
  func dropoutKeepsTheSameElements(probability: Double) throws {
    let device = try #require(OpenCL.device)
    for (shape, seed) in [
      ([1], 1), ([3, 5], 2), ([2, 3, 4, 5], 3), ([1025], 4), ([3, 7, 50, 51], 5),
    ] {
      let rule = DropoutRule(probability: probability, seed: UInt64(seed))
      let x = numbers(shape, seed: 3)
      let expected = x.device.backend.dropout(x, rule)
      #expect(device.backend.dropout(x.to(device), rule) == expected)
      guard shape.count == 4 else { continue }
      #expect(device.backend.dropout(imagesOf(x.to(device)), rule) == expected)
      try expectSame([x]) {
        dropout(imagesOf($0[0]), probability: probability, generator: Generator(seed: 9))
      }
    }
    try device.check()
  }

  // MARK: Copies

  @Test(arguments: [
    [1], [0], [7], [2, 3], [2, 3, 4], [2, 3, 4, 5], [3, 0, 2], [17, 33], [8, 8], [40, 3, 70],
    [1, 9, 1, 9],
  ])
  func copiesWithStrides(shape: [Int]) throws {
    let x = numbers(shape)
    var orders = [Array(shape.indices), Array(shape.indices.reversed())]
    orders.append(Array(shape.indices.dropFirst()) + [0])
    for order in orders { try expectSame([x]) { try permute($0[0], order: order) } }
    for axis in shape.indices where shape[axis] > 0 {
      let extent = shape[axis]
      for range in [0..<extent, 1..<extent, 0..<0, extent - 1..<extent] where range.count >= 0 {
        for step in [1, 2, 3] {
          try expectSame([x]) { try slice($0[0], axis: axis, range, step: step) }
        }
      }
    }
    let last = shape.count - 1
    for axis in shape.indices {
      try expectSame([x, numbers(shape, seed: 2), numbers(shape, seed: 3)]) {
        try concatenate($0, axis: axis)
      }
      try expectSame([x, numbers(shape, seed: 2)]) { try stack($0, axis: axis) }
      try expectSame([x]) { inputs in
        try concatenate(try split(inputs[0], size: 2, axis: last).map { $0 * 2 }, axis: last)
      }
      try expectSame([x]) { try transpose($0[0], axis, last) }
    }
    if shape.count == 4 {
      try expectSame([x]) { try permute(imagesOf($0[0]), order: [3, 1, 0, 2]) }
      try expectSame([x]) { try concatenate([imagesOf($0[0]), $0[0]], axis: 1) }
      try expectSame([x]) { try slice(imagesOf($0[0]), axis: 1, 1..<shape[1]) }
    }
    if let first = shape.first, first > 0 { try expectSame([x]) { $0[0][first - 1] } }
  }

  @Test func rowsOfATable() throws {
    for (rows, columns) in [(1, 1), (5, 3), (40, 65), (3, 0)] {
      for indices in [
        [], [0], (0..<50).map { $0 * $0 % rows }, [Int](repeating: rows - 1, count: 9),
      ] {
        try expectSame([numbers([rows, columns])]) {
          try embedding(IntTensor(indices, shape: [indices.count]), weight: $0[0])
        }
      }
    }
  }

  @Test func theSameBytesTwice() throws {
    let device = try #require(OpenCL.device)
    let x = numbers([37, 501]).to(device)
    func compute() throws -> [UInt32] {
      let tape = Tape()
      let y = tape.variable(x)
      try tape.backward(sum(try gelu(y) * Tensor([2]).to(device) / (sum(y * y) + 1)))
      return try #require(tape.gradient(of: y)).elements.map(\.bitPattern)
    }
    #expect(try compute() == compute())
  }
}

/// The same images, with their channels last on the device.
func imagesOf(_ x: Tensor) -> Tensor {
  if x.device.isGPU { x.materialize().preferChannelsLast() }
  return x
}
