import Lab
import Testing

struct EarlyStoppingTests {
  @Test func stopsAfterPatienceEpochsWithoutASmallerLoss() {
    var stopping = EarlyStopping(patience: 3)
    let losses = [1.0, 0.5, 0.6, 0.5, 0.4, 0.7, 0.4, .nan]
    let isOver = losses.map { loss in
      stopping.note(loss)
      return stopping.isOver
    }
    #expect(isOver.firstIndex(of: true) == 7)
    #expect(stopping.best == 0.4)
  }
}
