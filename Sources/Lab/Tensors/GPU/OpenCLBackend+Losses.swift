import OpenCLKernels

extension OpenCLBackend {
  private var losses: KernelSource { .losses }

  // MARK: Softmax

  /// Runs a kernel on the rows along the last dimension.
  private func alongLast(_ name: String, _ inputs: Tensor...) -> Tensor {
    let y = uninitialized(inputs[0].shape)
    let classes = y.shape.last ?? 1
    guard y.count > 0 else { return y }
    let shape = GroupShape(classes, threads: groupThreads)
    let count = y.count / classes
    queue.run(
      name, in: losses, groups: (shape.groups(forRows: count), 1, 1),
      threads: (shape.threads, 1, 1),
      (inputs + [y]).map { rows($0) }
        + [Int32(count), Int32(classes), Int32(shape.width)] as [any KernelArgument])
    return y
  }

  package func softmax(_ x: Tensor) -> Tensor { alongLast("softmax", x) }

  package func softmaxGradient(dy: Tensor, y: Tensor) -> Tensor {
    alongLast("softmax_gradient", dy, y)
  }

  package func logSoftmax(_ x: Tensor) -> Tensor { alongLast("log_softmax", x) }

  package func logSoftmaxGradient(dy: Tensor, y: Tensor) -> Tensor {
    alongLast("log_softmax_gradient", dy, y)
  }

  // MARK: Losses of labels

  /// The sum of some numbers divided by another one, of shape [].
  private func mean(_ values: DeviceBuffer, count: Int, divisor: Int) -> Tensor {
    let y = uninitialized([])
    queue.run(
      "mean_of_losses", in: losses, groups: (1, 1, 1), threads: (groupThreads, 1, 1),
      [values, rows(y), Float(divisor), Int32(count)])
    return y
  }

  package func crossEntropy(
    _ logits: Tensor, labels: [Int], labelSmoothing: Double
  ) -> (loss: Tensor, saved: Tensor) {
    let (count, classes) = (labels.count, logits.shape[1])
    let labels = self.labels(labels)
    let dx = uninitialized(logits.shape)
    let (values, hits) = (scratch(count), scratch(count))
    runRows(
      "cross_entropy", in: losses, rows: count, columns: classes, rows(logits), labels,
      Float(1 - labelSmoothing), Float(labelSmoothing), Float(labelSmoothing / Double(classes)),
      rows(dx), values, hits)
    let (loss, correct) = (uninitialized([]), uninitialized([]))
    queue.run(
      "mean_and_count", in: losses, groups: (1, 1, 1), threads: (groupThreads, 1, 1),
      [values, hits, rows(loss), rows(correct), Int32(count)])
    // The kernel counts classes in floats.
    if classes < 1 << 24 { logits.gpu.remember(correct.gpu, of: labels) }
    return (loss, dx)
  }

  /// The gradient was computed along with the loss, as if the loss's own were 1.
  package func crossEntropyGradient(
    dy: Tensor, saved: Tensor, labels: [Int], labelSmoothing: Double
  ) -> Tensor {
    if dy.storage.memory === one.storage.memory { return saved }
    let dx = uninitialized(saved.shape)
    queue.run("scaled", in: losses, count: dx.count, rows(dy), rows(saved), rows(dx))
    return dx
  }

  package func nllLoss(_ x: Tensor, labels: [Int]) -> Tensor {
    let y = uninitialized([])
    queue.run(
      "nll_loss", in: losses, groups: (1, 1, 1), threads: (groupThreads, 1, 1),
      [rows(x), self.labels(labels), rows(y), Int32(labels.count), Int32(x.shape[1])])
    return y
  }

  package func nllLossGradient(dy: Tensor, shape: [Int], labels: [Int]) -> Tensor {
    let dx = uninitialized(shape)
    queue.run(
      "nll_loss_gradient", in: losses, count: dx.count, rows(dy), self.labels(labels), rows(dx),
      Int32(labels.count), Int32(shape[1]))
    return dx
  }

  package func multiMarginLoss(_ x: Tensor, labels: [Int]) -> Tensor {
    let values = scratch(labels.count)
    runRows(
      "multi_margin_loss", in: losses, rows: labels.count, columns: x.shape[1], rows(x),
      self.labels(labels), values)
    return mean(values, count: labels.count, divisor: labels.count * x.shape[1])
  }

  package func multiMarginLossGradient(dy: Tensor, _ x: Tensor, labels: [Int]) -> Tensor {
    let dx = uninitialized(x.shape)
    runRows(
      "multi_margin_loss_gradient", in: losses, rows: labels.count, columns: x.shape[1], rows(dy),
      rows(x), self.labels(labels), rows(dx))
    return dx
  }

  // MARK: Losses of targets

  /// The mean of what a kernel adds up in parts that follow from the number of elements.
  private func mean(_ name: String, _ x: Tensor, _ target: Tensor) -> Tensor {
    let groups = max(1, min(1024, x.count / (8 * groupThreads)))
    let values = scratch(groups)
    queue.run(
      name, in: losses, groups: (groups, 1, 1), threads: (groupThreads, 1, 1),
      [rows(x), rows(target), values, Int32(x.count)])
    return mean(values, count: groups, divisor: x.count)
  }

  package func mseLoss(_ x: Tensor, target: Tensor) -> Tensor { mean("mse_loss", x, target) }

  package func mseLossGradient(dy: Tensor, _ x: Tensor, target: Tensor) -> Tensor {
    let dx = uninitialized(x.shape)
    queue.run(
      "mse_loss_gradient", in: losses, count: x.count, rows(dy), rows(x), rows(target), rows(dx))
    return dx
  }

  package func binaryCrossEntropyWithLogits(_ x: Tensor, target: Tensor) -> Tensor {
    mean("binary_cross_entropy", x, target)
  }

  package func binaryCrossEntropyWithLogitsGradients(
    dy: Tensor, _ x: Tensor, target: Tensor
  ) -> (dx: Tensor, dTarget: Tensor) {
    let (dx, dTarget) = (uninitialized(x.shape), uninitialized(x.shape))
    queue.run(
      "binary_cross_entropy_gradients", in: losses, count: x.count, rows(dy), rows(x),
      rows(target), rows(dx), rows(dTarget))
    return (dx, dTarget)
  }
}
