import Lab
import TestSupport
import Testing

struct PredictionTests {
  /// Scores whose exponentials are 1, 2, 1 and 4, 2, 2; and scores far apart.
  @Test func confidenceAndLossAreThoseOfSoftmax() throws {
    let (ln2, ln4) = (Float(0.6931472), Float(1.3862944))
    let logits = Tensor([0, ln2, 0, ln4, ln2, ln2, 0, -300, 0], shape: [3, 3])
    let predictions = Prediction.all(logits, IntTensor([1, 2, 1]), from: 10)
    #expect(predictions.map(\.position) == [10, 11, 12])
    #expect(predictions.map(\.predicted) == [1, 0, 0])
    #expect(predictions.map(\.isRight) == [true, false, false])
    try expectClose(Tensor(predictions.map(\.confidence)), [0.5, 0.5, 0.5])
    try expectClose(Tensor(predictions.map(\.loss)), [ln2, ln4, 300 + ln2])
  }
}
