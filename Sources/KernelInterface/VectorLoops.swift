// Pointers: what `Kernels` hands to its inner loops.

/// The inner loops of all kernels, which are built once for each set of vector instructions.
///
/// A loop runs on the thread that calls it, allocates nothing and knows no batch: `Kernels` divides
/// the work and hands over the memory. Only that module calls them, through this protocol, so that
/// no instruction of a set is reached before the processor is known to have it.
///
/// Every `scratch` holds ``scratchCount`` floats that mean nothing before and after.
public protocol VectorLoops: SendableMetatype {
  /// Floats in a vector: what the channels of transformed images are rounded up to.
  static var vectorLanes: Int { get }
  /// The most floats that a loop uses as its `scratch`.
  static var scratchCount: Int { get }

  /// Computes as fast as the processor can, from registers and the nearest cache: what a benchmark
  /// compares the other loops with. Returns how many multiplications and additions that were.
  static func multiplyAtPeak(scratch: UnsafeMutablePointer<Float>) -> Int

  /// `C = A B` or `C += A B`; C is m × n, A m × k, B k × n, C's rows are contiguous.
  static func multiply(
    _ a: StridedMatrix, _ b: StridedMatrix, into c: UnsafeMutablePointer<Float>, stride: Int,
    m: Int, n: Int, k: Int, adding: Bool, scratch: UnsafeMutablePointer<Float>)

  /// Writes the rows × columns matrix at `source` as a columns × rows matrix.
  static func transpose(
    _ source: UnsafePointer<Float>, stride: Int, rows: Int, columns: Int,
    into target: UnsafeMutablePointer<Float>, targetStride: Int)

  // MARK: Winograd convolution
  //
  // x, dx, y and dy are whole batches of channels-last images; `rows` are tile rows of all images.
  // v and dv are (tiles of these rows) × 36 × channels, m and dm tiles × 36 × filters, with a gap
  // after each tile; u is
  // 36 × channels × filters.

  /// Writes U for these input channels; `taps` holds 9 · channels.count · filters floats.
  static func winogradWeights(
    _ weight: UnsafePointer<Float>, into u: UnsafeMutablePointer<Float>, channels: Range<Int>,
    _ e: WinogradExtents, taps: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>)

  /// `dWeight = Gᵀ dU G` for these input channels, with dU the sum of `parts` arrays, taken in
  /// their order.
  static func winogradWeightGradient(
    _ du: UnsafePointer<Float>, parts: Int, into dWeight: UnsafeMutablePointer<Float>,
    channels: Range<Int>, _ e: WinogradExtents, taps: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>)

  /// `V = Bᵀ d B`; `isCached` tells whether x has just been written.
  static func winogradInput(
    _ x: UnsafePointer<Float>, into v: UnsafeMutablePointer<Float>, rows: Range<Int>,
    isCached: Bool, _ e: WinogradExtents, scratch: UnsafeMutablePointer<Float>)

  /// `dd += B dV Bᵀ`.
  static func winogradInputGradient(
    _ dv: UnsafePointer<Float>, addingTo dx: UnsafeMutablePointer<Float>, rows: Range<Int>,
    _ e: WinogradExtents, scratch: UnsafeMutablePointer<Float>)

  /// `C[ξ] = A[ξ] B[ξ]`: A is tiles × terms, B terms × columns.
  static func winogradProducts(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>,
    tiles: Int, terms: Int, columns: Int, _ e: WinogradExtents,
    scratch: UnsafeMutablePointer<Float>)

  /// `dU[ξ] = Vᵀ[ξ] dM[ξ]` or `dU[ξ] += …`.
  static func winogradWeightProducts(
    _ v: UnsafePointer<Float>, _ dm: UnsafePointer<Float>, into du: UnsafeMutablePointer<Float>,
    tiles: Int, adding: Bool, _ e: WinogradExtents, scratch: UnsafeMutablePointer<Float>)

  /// `Y = Aᵀ M A + bias`, rectified or not; the bias has as many floats as there are filters.
  static func winogradOutput(
    _ m: UnsafePointer<Float>, bias: UnsafePointer<Float>, activation: Activation,
    into y: UnsafeMutablePointer<Float>, rows: Range<Int>, _ e: WinogradExtents,
    scratch: UnsafeMutablePointer<Float>)

  /// `dM = A dY Aᵀ`, with dY 0 where y is given and not positive.
  static func winogradOutputGradient(
    _ dy: UnsafePointer<Float>, y: UnsafePointer<Float>?, into dm: UnsafeMutablePointer<Float>,
    addingTo dBias: UnsafeMutablePointer<Float>, rows: Range<Int>, _ e: WinogradExtents,
    scratch: UnsafeMutablePointer<Float>)

  /// What the epilogue, which pools, makes of `Aᵀ M A + bias`; the codes say where it came from.
  static func winogradPooledOutput(
    _ m: UnsafePointer<Float>, bias: UnsafePointer<Float>, _ epilogue: ConvolutionEpilogue,
    into y: UnsafeMutablePointer<Float>, codes: UnsafeMutablePointer<UInt8>?, rows: Range<Int>,
    _ e: WinogradExtents, scratch: UnsafeMutablePointer<Float>)

  /// `dM = A dY Aᵀ`, with dY from the pooled gradient times `scale` and the codes.
  static func winogradPooledOutputGradient(
    _ dy: UnsafePointer<Float>, codes: UnsafePointer<UInt8>, scale: Float,
    into dm: UnsafeMutablePointer<Float>, addingTo dBias: UnsafeMutablePointer<Float>,
    rows: Range<Int>, _ e: WinogradExtents, scratch: UnsafeMutablePointer<Float>)

  // MARK: Direct convolution

  /// `y = x ∗ weight + bias`, rectified or not; weight is R × S × C × filters.
  static func directForward(
    _ x: UnsafePointer<Float>, _ weight: UnsafePointer<Float>, bias: UnsafePointer<Float>,
    activation: Activation, into y: UnsafeMutablePointer<Float>, _ d: DirectExtents,
    scratch: UnsafeMutablePointer<Float>)

  /// The gradient by the weight, R × S × C × filters; dy has as many floats a pixel as there are
  /// filters.
  static func directWeightGradient(
    _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>,
    addingTo dWeight: UnsafeMutablePointer<Float>, _ d: DirectExtents)

  /// The gradient by x. The weight is filters × ``DirectExtents/patch``, `patches` has room for a
  /// row of the output with a patch of the input each.
  static func directInputGradient(
    _ dy: UnsafePointer<Float>, _ weight: UnsafePointer<Float>,
    addingTo dx: UnsafeMutablePointer<Float>, _ d: DirectExtents,
    patches: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>)

  /// Copies dy, 0 where y is given and not positive, to as many floats a pixel as there are
  /// filters, and adds up each channel.
  static func directOutputGradient(
    _ dy: UnsafePointer<Float>, y: UnsafePointer<Float>?, into copy: UnsafeMutablePointer<Float>,
    addingTo dBias: UnsafeMutablePointer<Float>, pixels: Int, k: Int, filters: Int)

  // MARK: Single elements

  /// `y = max(x, 0)`; a NaN stays one.
  static func relu(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int)

  /// `dx = dy` where y is positive, else 0.
  static func reluGradient(
    _ dy: UnsafePointer<Float>, y: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>,
    count: Int)

  /// `y = a + b`, rectified or not.
  static func add(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, activation: Activation,
    into y: UnsafeMutablePointer<Float>, count: Int)

  /// `y = operation(a, b)`; a step of 0 repeats an operand.
  static func binary(
    _ operation: BinaryOperation, _ a: UnsafePointer<Float>, step aStep: Int,
    _ b: UnsafePointer<Float>, step bStep: Int, into y: UnsafeMutablePointer<Float>, count: Int)

  /// The gradient of an operand of ``binary(_:_:step:_:step:into:count:)``, element by element.
  static func binaryGradient(
    _ operation: BinaryOperation, of operand: Operand, dy: UnsafePointer<Float>,
    _ a: UnsafePointer<Float>, step aStep: Int, _ b: UnsafePointer<Float>, step bStep: Int,
    into d: UnsafeMutablePointer<Float>, count: Int)

  /// `y = x · scale` where the rule keeps an element, else 0; the elements' indices are `step`
  /// apart.
  static func dropout(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int,
    _ rule: DropoutRule, first: Int, step: Int)

  /// One step of Adam.
  static func adamStep(
    value: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>,
    moment1: UnsafeMutablePointer<Float>, moment2: UnsafeMutablePointer<Float>, count: Int,
    _ rule: AdamRule)

  // MARK: Channels-last images
  //
  // An array of pixels with C channels each.

  /// The largest pixel of each window of one image, and its place in the window, row by row.
  static func maxPooling(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    codes: UnsafeMutablePointer<UInt8>, channels: Int, _ e: PoolingExtents)

  /// The gradient of ``maxPooling(_:into:codes:channels:_:)``.
  static func maxPoolingGradient(
    _ dy: UnsafePointer<Float>, codes: UnsafePointer<UInt8>,
    addingTo dx: UnsafeMutablePointer<Float>, channels: Int, _ e: PoolingExtents)

  /// `sums += Σ (x - center)` and `squares += Σ (x - center)²` for each channel.
  static func sumMoments(
    _ x: UnsafePointer<Float>, center: UnsafePointer<Float>,
    addingTo sums: UnsafeMutablePointer<Float>, squares: UnsafeMutablePointer<Float>,
    pixels: Int, channels: Int, scratch: UnsafeMutablePointer<Float>)

  /// `y = x · scale + shift` with a scale and a shift for each channel, rectified or not.
  static func scaleChannels(
    _ x: UnsafePointer<Float>, scale: UnsafePointer<Float>, shift: UnsafePointer<Float>,
    activation: Activation, into y: UnsafeMutablePointer<Float>, pixels: Int, channels: Int)

  /// `sums += Σ dy` and `products += Σ dy (x - mean)` for each channel, where what was rectified has
  /// no gradient.
  static func sumGradients(
    _ dy: UnsafePointer<Float>, x: UnsafePointer<Float>, _ n: NormalizationChannels,
    activation: Activation,
    addingTo sums: UnsafeMutablePointer<Float>, products: UnsafeMutablePointer<Float>,
    pixels: Int, channels: Int, scratch: UnsafeMutablePointer<Float>)

  /// `dx = scale (dy - offset - slope (x - mean))`, where what was rectified has no gradient.
  static func normalizationGradient(
    _ dy: UnsafePointer<Float>, x: UnsafePointer<Float>, _ n: NormalizationChannels,
    activation: Activation,
    into dx: UnsafeMutablePointer<Float>, pixels: Int, channels: Int)
}
