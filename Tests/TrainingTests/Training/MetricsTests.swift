import Foundation
import Lab
import Testing

struct MetricsTests {
  @Test func batchesCountByTheirSize() {
    var metrics = Metrics()
    #expect(metrics.loss.isNaN && metrics.accuracy.isNaN)
    #expect(metrics["loss"] == nil)
    metrics.add("loss", sum: 2 * 3, count: 3)
    metrics.add("acc", sum: 2, count: 3)
    metrics.add("loss", sum: 6, count: 1)
    metrics.add("acc", sum: 0, count: 1)
    #expect(metrics.loss == 3)
    #expect(metrics.accuracy == 0.5)
    #expect(metrics.totals.map(\.name) == ["loss", "acc"])
  }

  @Test func encodedMetricsAreDecoded() throws {
    var metrics = Metrics()
    metrics.add("loss", sum: 0.1, count: 3)
    metrics.add("cer", sum: 7, count: 11)
    let json = try JSONEncoder().encode(["m": metrics])
    #expect(try JSONDecoder().decode([String: Metrics].self, from: json) == ["m": metrics])
  }

  /// States of runs that were saved before metrics had names.
  @Test(arguments: [
    (#"{"lossSum":680.1,"right":91,"samples":768}"#, 680.1 / 768, 91.0 / 768),
    (#"{"lossSum":0,"right":0,"samples":0}"#, Double.nan, Double.nan),
  ])
  func metricsOfOlderVersionsAreDecoded(json: String, loss: Double, accuracy: Double) throws {
    let metrics = try JSONDecoder().decode(Metrics.self, from: Data(json.utf8))
    #expect(metrics.loss == loss || loss.isNaN && metrics.loss.isNaN)
    #expect(metrics.accuracy == accuracy || accuracy.isNaN && metrics.accuracy.isNaN)
  }
}
