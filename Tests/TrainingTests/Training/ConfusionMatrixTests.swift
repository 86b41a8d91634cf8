import Lab
import Testing

struct ConfusionMatrixTests {
  @Test func countsAndOrders() {
    let pairs = [(0, 0), (0, 1), (0, 1), (1, 1), (1, 2), (2, 1), (2, 1), (2, 0)]
    let confusion = ConfusionMatrix(
      pairs.enumerated().map { index, pair in
        Prediction(position: index, label: pair.0, predicted: pair.1, confidence: 1, loss: 0)
      }, mapping: ["a", "b", "c", "d"])
    #expect(confusion.counts == [[1, 2, 0, 0], [0, 1, 1, 0], [1, 2, 0, 0], [0, 0, 0, 0]])
    #expect(confusion[2, 1] == 2)
    #expect(confusion.classes == [0, 1, 2])
    #expect(confusion.accuracy(of: 0) == 1.0 / 3)
    #expect(confusion.accuracy(of: 1) == 0.5)
    #expect(confusion.accuracy(of: 2) == 0)
    #expect(confusion.accuracy(of: 3).isNaN)
    // Equal counts stay in the order of the classes.
    let texts = confusion.mostConfused(9).map { "\($0.label.text)\($0.predicted.text)\($0.count)" }
    #expect(texts == ["ab2", "cb2", "bc1", "ca1"])
    #expect(confusion.mostConfused(1) == [confusion.mostConfused(9)[0]])
  }

  /// A model may have more outputs than the data have classes.
  @Test func classesWithoutATextAreNumbers() {
    let prediction = Prediction(position: 0, label: 1, predicted: 3, confidence: 1, loss: 0)
    let confusion = ConfusionMatrix([prediction], mapping: ["a", "b"])
    #expect(confusion.mapping == ["a", "b", "2", "3"])
    #expect(confusion[1, 3] == 1)
    #expect(confusion.mostConfused(1).map(\.predicted.text) == ["3"])
  }
}
