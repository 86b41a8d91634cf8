import KernelInterface

/// Direct convolutions, and each step of Winograd convolutions.
func convolutions<L: VectorLoops>(_ loops: L.Type, _ record: inout Record) {
  let scratch = Memory(undefined: loops.scratchCount)
  for e in [
    ConvolutionExtents(n: 1, c: 1, h: 1, w: 1, k: 1, r: 1, s: 1, stride: 1, padding: 0),
    ConvolutionExtents(n: 1, c: 3, h: 7, w: 9, k: 5, r: 3, s: 3, stride: 1, padding: 0),
    ConvolutionExtents(n: 1, c: 2, h: 8, w: 15, k: 8, r: 3, s: 3, stride: 2, padding: 0),
    ConvolutionExtents(n: 1, c: 5, h: 4, w: 21, k: 22, r: 2, s: 4, stride: 1, padding: 0),
    ConvolutionExtents(n: 1, c: 4, h: 5, w: 9, k: 36, r: 1, s: 1, stride: 1, padding: 0),
    ConvolutionExtents(
      n: 1, c: 7, h: 7, w: 13, k: 13, r: 3, s: 2, stride: (3, 2), padding: (0, 0)),
    // A row in parts.
    ConvolutionExtents(n: 1, c: 2, h: 2, w: 460, k: 3, r: 2, s: 3, stride: 1, padding: 0),
    // A weight that is larger than a cache.
    ConvolutionExtents(n: 1, c: 64, h: 3, w: 5, k: 460, r: 3, s: 3, stride: 1, padding: 0),
  ] { direct(loops, &record, e, scratch) }
  for (n, c, h, w, k, padding) in [
    (1, 1, 3, 3, 1, 0), (1, 3, 1, 1, 20, 1), (2, 16, 2, 5, 16, 1), (3, 17, 5, 4, 3, 0),
    (1, 6, 9, 11, 10, 1), (2, 8, 14, 13, 8, 0), (2, 1, 4, 7, 16, 2), (1, 4, 6, 30, 37, 1),
  ] {
    winograd(
      loops, &record,
      ConvolutionExtents(n: n, c: c, h: h, w: w, k: k, r: 3, s: 3, stride: 1, padding: padding),
      scratch)
  }
  record.addIntact("winogradProducts", scratch)
}

private func direct<L: VectorLoops>(
  _ loops: L.Type, _ record: inout Record, _ e: ConvolutionExtents,
  _ scratch: Memory<Float>
) {
  scratch.undefine()
  // An input row may be longer than what its outputs reach.
  var d = DirectExtents(
    e, rows: e.outputH, columns: e.outputW, inputRow: e.w * e.c + 2, lanes: loops.vectorLanes)
  let x = Memory(e.h * d.inputRow, seed: 1)
  let weight = Memory(d.terms * d.filters, seed: 2)
  let bias = Memory(d.filters, seed: 3)
  for activation in [Activation.none, .relu] {
    let y = Memory(d.rows * d.outputRow, seed: 4)
    loops.directForward(
      x.pointer, weight.pointer, bias: bias.pointer, activation: activation, into: y.pointer, d,
      scratch: scratch.pointer)
    record.add("directForward", y, within: 2e-6, scale: Double(d.terms).squareRoot())
  }
  let pixels = d.rows * d.columns
  let (dy, y) = (Memory(pixels * e.k, seed: 5), Memory(pixels * e.k, seed: 6))
  let copy = Memory(undefined: pixels * d.filters)
  for hasActivation in [false, true] {
    let dBias = Memory(d.filters, seed: 7)
    loops.directOutputGradient(
      dy.pointer, y: hasActivation ? UnsafePointer(y.pointer) : nil, into: copy.pointer,
      addingTo: dBias.pointer, pixels: pixels, k: e.k, filters: d.filters)
    record.add("directOutputGradient", copy, within: 0)
    record.add("directOutputGradient", dBias, within: 1e-6)
  }
  (d.outputPixel, d.outputRow) = (d.filters, d.columns * d.filters)
  let dWeight = Memory(d.terms * d.filters, seed: 8)
  loops.directWeightGradient(x.pointer, copy.pointer, addingTo: dWeight.pointer, d)
  record.add("directWeightGradient", dWeight, within: 1e-6)
}

private func winograd<L: VectorLoops>(
  _ loops: L.Type, _ record: inout Record, _ extents: ConvolutionExtents,
  _ scratch: Memory<Float>
) {
  scratch.undefine()
  let e = WinogradExtents(extents, lanes: loops.vectorLanes)
  let weight = Memory(e.k * e.c * 9, seed: 1)
  let u = Memory(undefined: 36 * e.channels * e.filters)
  // In two parts, as threads do it.
  let middle = e.channels / 2
  for channels in [0..<middle, middle..<e.channels] where !channels.isEmpty {
    let taps = Memory(undefined: 9 * channels.count * e.filters)
    // All of the second part may be padding.
    guard channels.lowerBound < e.c else {
      for xi in 0..<36 {
        let rows = u.pointer + (xi * e.channels + channels.lowerBound) * e.filters
        rows.update(repeating: 0, count: channels.count * e.filters)
      }
      continue
    }
    loops.winogradWeights(
      weight.pointer, into: u.pointer, channels: channels, e, taps: taps.pointer,
      scratch: scratch.pointer)
    record.addIntact("winogradWeights", taps)
  }
  record.add("winogradWeights", u, within: 5e-7)
  weightGradient(loops, &record, e, scratch)

  // All tiles, and some in the middle of the rows.
  let all = TileRange(rows: 0..<e.tileRows, columns: 0..<e.tilesAcross)
  let some = TileRange(
    rows: e.tileRows / 2..<e.tileRows, columns: e.tilesAcross / 3..<e.tilesAcross)
  for tiles in [all, some] {
    let x = Memory(e.n * e.h * e.w * e.c, seed: 3)
    let v = Memory(tiles.count * e.tile(channels: e.channels), seed: 4)
    for isCached in [false, true] {
      loops.winogradInput(
        x.pointer, into: v.pointer, tiles: tiles, isCached: isCached, e, scratch: scratch.pointer)
      record.add("winogradInput", v, within: 1e-6)
    }
    loops.winogradInputGradient(
      v.pointer, addingTo: x.pointer, tiles: tiles, e, scratch: scratch.pointer)
    record.add("winogradInputGradient", x, within: 1e-6)

    let m = Memory(tiles.count * e.tile(channels: e.filters), seed: 5)
    loops.winogradProducts(
      v.pointer, u.pointer, into: m.pointer, tiles: tiles.count, terms: e.channels,
      columns: e.filters, e, scratch: scratch.pointer)
    record.add("winogradProducts", m, within: 2e-6)
    for adding in [false, true] {
      let du = Memory(36 * e.channels * e.filters, seed: 6)
      loops.winogradWeightProducts(
        v.pointer, m.pointer, into: du.pointer, tiles: tiles.count, adding: adding, e,
        scratch: scratch.pointer)
      record.add("winogradWeightProducts", du, within: 3e-6)
    }
    output(loops, &record, tiles, e, scratch)
    pooledOutput(loops, &record, tiles, e, scratch)
  }
}

private func weightGradient<L: VectorLoops>(
  _ loops: L.Type, _ record: inout Record, _ e: WinogradExtents, _ scratch: Memory<Float>
) {
  for parts in [1, 3] {
    let du = Memory(parts * 36 * e.channels * e.filters, seed: 2)
    let dWeight = Memory(e.k * e.c * 9, seed: 9)
    let taps = Memory(undefined: 9 * e.c * e.filters)
    loops.winogradWeightGradient(
      du.pointer, parts: parts, into: dWeight.pointer, channels: 0..<e.c, e, taps: taps.pointer,
      scratch: scratch.pointer)
    record.add("winogradWeightGradient", dWeight, within: 1e-6)
    record.addIntact("winogradWeightGradient", taps)
  }
}

private func output<L: VectorLoops>(
  _ loops: L.Type, _ record: inout Record, _ tiles: TileRange, _ e: WinogradExtents,
  _ scratch: Memory<Float>
) {
  let (m, bias) = (Memory(tiles.count * e.tile(channels: e.filters), seed: 7), padded(e, seed: 8))
  let pixels = e.n * e.outputH * e.outputW * e.k
  let y = Memory(pixels, seed: 9)
  for activation in [Activation.none, .relu] {
    loops.winogradOutput(
      m.pointer, bias: bias.pointer, activation: activation, into: y.pointer, tiles: tiles, e,
      scratch: scratch.pointer)
    record.add("winogradOutput", y, within: 1e-6)
  }
  let (dy, result) = (Memory(pixels, seed: 10), Memory(pixels, seed: 11))
  for hasActivation in [false, true] {
    let (dm, dBias) = (Memory(m.count, seed: 12), padded(e, seed: 13))
    loops.winogradOutputGradient(
      dy.pointer, y: hasActivation ? UnsafePointer(result.pointer) : nil, into: dm.pointer,
      addingTo: dBias.pointer, tiles: tiles, e, scratch: scratch.pointer)
    record.add("winogradOutputGradient", dm, within: 1e-6)
    record.add("winogradOutputGradient", dBias, within: 1e-6)
  }
}

private func pooledOutput<L: VectorLoops>(
  _ loops: L.Type, _ record: inout Record, _ tiles: TileRange, _ e: WinogradExtents,
  _ scratch: Memory<Float>
) {
  guard e.pooledH > 0, e.pooledW > 0 else { return }
  // Small integers: no result is rounded, and many pixels are equal, so that codes are certain.
  let m = Memory(
    numbers(tiles.count * e.tile(channels: e.filters), seed: 14).map { ($0 * 1.6).rounded() })
  let bias = Memory(numbers(e.filters, seed: 15).map { ($0 * 2).rounded() })
  m.pointer[m.count / 3] = .nan
  let pixels = e.n * e.pooledH * e.pooledW * e.k
  let rule = DropoutRule(probability: 0.25, seed: 12_345_678_901)
  for epilogue in [
    ConvolutionEpilogue(pool2x2: true), ConvolutionEpilogue(activation: .relu, pool2x2: true),
    ConvolutionEpilogue(activation: .relu, pool2x2: true, dropout: rule),
  ] {
    let y = Memory(pixels, seed: 16)
    let codes = Memory([UInt8](repeating: 9, count: pixels))
    for target in [nil, codes.pointer] {
      loops.winogradPooledOutput(
        m.pointer, bias: bias.pointer, epilogue, into: y.pointer, codes: target, tiles: tiles, e,
        scratch: scratch.pointer)
      record.add("winogradPooledOutput", y, within: 0)
    }
    record.add("winogradPooledOutput", codes, within: 0)
  }
  let codes = Memory(numbers(pixels, seed: 17).map { UInt8(($0 + 1) * 2.5) })
  let dy = Memory(pixels, seed: 18)
  let (dm, dBias) = (Memory(m.count, seed: 19), padded(e, seed: 20))
  loops.winogradPooledOutputGradient(
    dy.pointer, codes: codes.pointer, scale: 1.25, into: dm.pointer, addingTo: dBias.pointer,
    tiles: tiles, e, scratch: scratch.pointer)
  record.add("winogradPooledOutputGradient", dm, within: 1e-6)
  record.add("winogradPooledOutputGradient", dBias, within: 1e-6)
}

/// A number for each filter.
private func padded(_ e: WinogradExtents, seed: UInt64) -> Memory<Float> {
  Memory(e.filters, seed: seed)
}

/// The difference between a convolution by the plain Winograd loops and one by its definition, relative
/// to the largest pixel: whether the reference itself is right.
func plainWinogradError() -> Double {
  let extents = ConvolutionExtents(
    n: 2, c: 5, h: 9, w: 11, k: 6, r: 3, s: 3, stride: 1, padding: 1)
  let e = WinogradExtents(extents, lanes: PlainLoops.vectorLanes)
  let (x, weight) = (Memory(e.n * e.h * e.w * e.c, seed: 1), Memory(e.k * e.c * 9, seed: 2))
  let tiles = TileRange(rows: 0..<e.tileRows, columns: 0..<e.tilesAcross)
  let u = Memory(undefined: 36 * e.channels * e.filters)
  let v = Memory(undefined: tiles.count * e.tile(channels: e.channels))
  let m = Memory(undefined: tiles.count * e.tile(channels: e.filters))
  let (y, bias) = (Memory(undefined: e.n * e.outputH * e.outputW * e.k), Memory(e.filters, seed: 3))
  let none = x.pointer
  PlainLoops.winogradWeights(
    weight.pointer, into: u.pointer, channels: 0..<e.channels, e, taps: none, scratch: none)
  PlainLoops.winogradInput(
    x.pointer, into: v.pointer, tiles: tiles, isCached: false, e, scratch: none)
  PlainLoops.winogradProducts(
    v.pointer, u.pointer, into: m.pointer, tiles: tiles.count, terms: e.channels,
    columns: e.filters, e, scratch: none)
  PlainLoops.winogradOutput(
    m.pointer, bias: bias.pointer, activation: .none, into: y.pointer, tiles: tiles, e,
    scratch: none)

  // The definition takes images in the order N C H W.
  let (inputs, outputs) = (e.h * e.w, e.outputH * e.outputW)
  let planes = Memory(
    channelsFirst((0..<x.count).map { x.pointer[$0] }, n: e.n, c: e.c, pixels: inputs))
  let expected = Memory(undefined: y.count)
  convolutionReference(
    x: planes.pointer, weight: weight.pointer, bias: bias.pointer, y: expected.pointer, extents)
  let found = channelsFirst((0..<y.count).map { y.pointer[$0] }, n: e.n, c: e.k, pixels: outputs)
  var (largest, scale) = (0.0, 0.0)
  for (index, pixel) in expected.values.enumerated() {
    let difference = abs(Double(found[index]) - pixel)
    // A NaN counts as an error.
    largest = difference <= largest ? largest : difference
    scale = max(scale, abs(pixel))
  }
  return largest / scale
}
