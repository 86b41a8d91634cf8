import Lab
import Testing

struct MetricsTests {
  @Test func batchesCountByTheirSize() {
    var metrics = Metrics()
    #expect(metrics.loss.isNaN && metrics.accuracy.isNaN)
    metrics.add(
      loss: 2, logits: Tensor([0, 1, 1, 0, 3, 2], shape: [3, 2]), labels: IntTensor([1, 0, 1]))
    metrics.add(loss: 6, logits: Tensor([0, 1], shape: [1, 2]), labels: IntTensor([0]))
    #expect(metrics.loss == 3)
    #expect(metrics.accuracy == 0.5)
  }
}
