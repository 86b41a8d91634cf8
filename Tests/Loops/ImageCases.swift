import KernelInterface

/// The loops of pooling and batch normalization.
func images<L: VectorLoops>(_ loops: L.Type, _ record: inout Record) {
  for (channels, h, w, size, stride) in [
    (1, 2, 2, 2, 2), (3, 5, 7, 2, 2), (16, 6, 6, 3, 2), (21, 4, 9, 2, 1), (33, 7, 7, 7, 7),
    (5, 6, 5, 1, 2), (2, 15, 15, 15, 1),
  ] {
    let e = PoolingExtents(planes: 1, h: h, w: w, size: size, stride: stride)
    let outputs = e.outputH * e.outputW * channels
    // Few different values, so that many are equal.
    let x = Memory(numbers(h * w * channels, seed: 1).map { ($0 * 3).rounded() })
    x.pointer[x.count / 2] = .nan
    let (y, codes) = (Memory(undefined: outputs), Memory([UInt8](repeating: 0, count: outputs)))
    loops.maxPooling(x.pointer, into: y.pointer, codes: codes.pointer, channels: channels, e)
    record.add("maxPooling", y, within: 0)
    record.add("maxPooling", codes, within: 0)
    let (dy, dx) = (Memory(outputs, seed: 2), Memory(x.count, seed: 3))
    loops.maxPoolingGradient(
      dy.pointer, codes: codes.pointer, addingTo: dx.pointer, channels: channels, e)
    record.add("maxPoolingGradient", dx, within: 1e-6)
  }
  for (pixels, channels) in [(1, 1), (17, 1), (9, 3), (10, 6), (130, 16), (300, 21)] {
    for activation in [Activation.none, .relu] {
      normalization(loops, &record, pixels, channels, activation)
    }
  }
}

private func normalization<L: VectorLoops>(
  _ loops: L.Type, _ record: inout Record, _ pixels: Int, _ channels: Int,
  _ activation: Activation
) {
  let (x, dy) = (Memory(pixels * channels, seed: 4), Memory(pixels * channels, seed: 5))
  let constants = Memory(5 * channels, seed: 6)
  let n = NormalizationChannels(constants.pointer, channels: channels)
  let y = Memory(undefined: pixels * channels)
  loops.scaleChannels(
    x.pointer, scale: n.scale, shift: n.shift, activation: activation, into: y.pointer,
    pixels: pixels, channels: channels)
  record.add("scaleChannels", y, within: 1e-6)
  loops.normalizationGradient(
    dy.pointer, x: x.pointer, n, activation: activation, into: y.pointer, pixels: pixels,
    channels: channels)
  record.add("normalizationGradient", y, within: 1e-6)

  let scratch = Memory(undefined: max(2 * channels, loops.scratchCount))
  var (sums, products) = (Memory(channels, seed: 7), Memory(channels, seed: 8))
  loops.sumMoments(
    x.pointer, center: n.mean, addingTo: sums.pointer, squares: products.pointer, pixels: pixels,
    channels: channels, scratch: scratch.pointer)
  for memory in [sums, products] { record.add("sumMoments", memory, within: 1e-6) }
  (sums, products) = (Memory(channels, seed: 7), Memory(channels, seed: 8))
  loops.sumGradients(
    dy.pointer, x: x.pointer, n, activation: activation, addingTo: sums.pointer,
    products: products.pointer, pixels: pixels, channels: channels, scratch: scratch.pointer)
  for memory in [sums, products] { record.add("sumGradients", memory, within: 1e-6) }
}
