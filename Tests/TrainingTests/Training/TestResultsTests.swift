import Lab
import Testing

struct TestResultsTests {
  @Test func theWorstMistakesComeFirst() {
    let losses: [(loss: Float, isRight: Bool)] = [
      (1, false), (3, false), (9, true), (3, false), (4, false), (0.1, true),
    ]
    let predictions = losses.enumerated().map { index, example in
      Prediction(
        position: index, label: 0, predicted: example.isRight ? 0 : 1, confidence: 1,
        loss: example.loss)
    }
    let results = TestResults(
      metrics: Metrics(), predictions: predictions, mapping: ["a", "b"])
    #expect(results.worstMistakes(9).map(\.position) == [4, 1, 3, 0])
    #expect(results.worstMistakes(2).map(\.position) == [4, 1])
    #expect(results.confusion.counts == [[2, 4], [0, 0]])
  }
}
