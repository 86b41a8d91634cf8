import Foundation
import Lab
import TestSupport
import Testing

/// The norms of gradients, as Lightning's `track_grad_norm` logs them.
struct GradientNormsTests {
  /// ```python
  /// a, b = torch.tensor([3., -4., 0.5, 0.]), torch.tensor([12., -0.25])
  /// [float(torch.tensor([float(g.norm(p)) for g in (a, b)]).norm(p)) for p in (1, 2, 3, inf)]
  /// ```
  @Test(
    arguments: [
      (1, "1.0", [7.5, 12.25, 19.75]), (2, "2.0", [5.02493781, 12.00260388, 13.01201369]),
      (3, "3.0", [4.5, 12.00003617, 12.20736952]), (.infinity, "inf", [4, 12, 12]),
    ] as [(Double, String, [Double])])
  func normsAreThoseOfPyTorch(order: Double, name: String, expected: [Double]) throws {
    let model = Two()
    model.a.setGradient(Tensor([3, -4, 0.5, 0]))
    model.b.setGradient(Tensor([12, -0.25]))
    var norms = GradientNorms(order, of: model)
    let names = ["total", "a", "b", "unused"].map { "grad_\(name)_norm_\($0)" }
    #expect(norms.scalars.map(\.name) == names)
    try norms.add(step: 7)
    model.a.setGradient(Tensor([0, 0, 0, 0]))
    try norms.add(step: 8)
    let read = norms.read()
    #expect(read.keys.sorted() == [7, 8])
    // One without a gradient has no norm.
    let values = try #require(read[7])
    #expect(values.map(\.scalar.name) == Array(names.prefix(3)))
    for (value, expected) in zip(values, [expected[2], expected[0], expected[1]]) {
      #expect(abs(value.value - expected) < 1e-6 * expected, "\(value.scalar.name)")
    }
    #expect(read[8]?[1].value == 0)
    #expect(norms.read().isEmpty)
  }

  /// They are logged for steps of the optimizer, before gradients are limited.
  @Test func theyAreLoggedForTheStepsOfTheOptimizer() throws {
    try withTinyData { data in
      let folder = try TemporaryFolder()
      let trainer = quietTrainer(maxEpochs: 1)
      trainer.run = try TrainingRun(folder.url)
      trainer.gradientNorm = 2
      trainer.accumulateBatches = 2
      trainer.gradientClipping = .norm(1e-3)
      let model = Normalized()
      var norms: [Double] = []
      trainer.stepEnded = { step in
        guard step.step % 2 == 0 || step.step == 5 else { return }
        // Limited by then.
        let squares = model.parameters.compactMap { $0.gradient?.elements }.joined()
          .reduce(0) { $0 + Double($1) * Double($1) }
        norms.append(squares.squareRoot())
      }
      try trainer.fit(model, data, optimizer: SGD(model.parameters, learningRate: 0.1))
      #expect(norms.allSatisfy { abs($0 - 1e-3) < 1e-6 })
      let text = try String(
        contentsOf: folder.url.appending(path: "metrics.csv"), encoding: .utf8)
      let rows = text.split(separator: "\n").map { row in
        row.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      }
      let names = ["total", "norm.weight", "norm.bias", "fc.weight", "fc.bias"]
      #expect(rows[0].suffix(5) == names.map { "grad_2.0_norm_\($0)" }[...])
      let logged = rows.dropFirst().filter { !($0.last?.isEmpty ?? true) }
      #expect(logged.map { $0[1] } == ["2", "4", "5"])
      for row in logged {
        let values = row.suffix(5).compactMap { Double($0) }
        #expect(values.count == 5 && values[0] > 1e-2)
        let total = values.dropFirst().reduce(0) { $0 + $1 * $1 }.squareRoot()
        #expect(abs(values[0] - total) < 1e-6 * total)
      }
      let history = try RunMetrics.names(in: folder.url)
      #expect(!history.contains { $0.hasPrefix("grad_") })
    }
  }

  @Test func onlyLoggedStepsHaveThem() throws {
    try withTinyData { data in
      let (trainer, model) = (quietTrainer(maxEpochs: 2), Normalized())
      (trainer.gradientNorm, trainer.logEverySteps) = (.infinity, 3)
      let recorder = LogRecorder()
      trainer.observers = [recorder]
      try trainer.fit(model, data, optimizer: SGD(model.parameters))
      #expect(recorder.steps(with: "grad_inf_norm_total") == [3, 6, 9])
    }
  }

  @Test func aRunIsNotResumedWithOtherColumns() throws {
    try withTinyData { data in
      let folder = try TemporaryFolder()
      func train(_ norm: Double?) throws {
        let (trainer, model) = (quietTrainer(maxEpochs: 1), Normalized())
        trainer.run = try TrainingRun(folder.url)
        trainer.gradientNorm = norm
        try trainer.fit(model, data, optimizer: SGD(model.parameters))
      }
      try train(nil)
      let error = #expect(throws: TrainingError.self) { try train(2) }
      let path = folder.url.appending(path: "training_state.safetensors")
        .path(percentEncoded: false)
      #expect(
        error?.description
          == "\(path): expected logs without norms of gradients as at the run's beginning, got logs "
          + "with the 2.0-norm of gradients; do not change gradientNorm")
    }
  }
}

/// Two parameters, and one that is not used.
private struct Two: Layer {
  let a = Parameter(Tensor([0, 0, 0, 0]))
  let b = Parameter(Tensor([0, 0]))
  let unused = Parameter(Tensor([0]))

  func callAsFunction(_ x: Tensor) -> Tensor { x }
}

/// The names of the metrics of a run.
private enum RunMetrics {
  static func names(in folder: URL) throws -> [String] {
    try withTinyData { data in
      try RunRecord(
        arguments: [], seed: 1, model: Normalized(), options: [:], data: data, versions: [:]
      ).write(to: TrainingRun.record(in: folder))
      return try RunHistory(of: folder).metrics.map(\.name)
    }
  }
}

/// Remembers what is logged.
private final class LogRecorder: TrainingObserver {
  private var entries: [LogEntry] = []

  func log(_ entry: LogEntry) { entries.append(entry) }

  /// The steps for which a value was logged.
  func steps(with name: String) -> [Int] {
    entries.filter { $0.values.contains { $0.scalar.name == name } }.map(\.step)
  }
}
