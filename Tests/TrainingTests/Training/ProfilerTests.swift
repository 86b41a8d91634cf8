import Foundation
import Lab
import TestSupport
import Testing

struct ProfilerTests {
  /// Two epochs of 5 batches with 2 validation batches each.
  private func train(
    _ profiler: Profiler?, in folder: URL? = nil, microShards: Int? = nil
  ) throws -> [[Float]] {
    try withTinyData { data in
      let trainer = quietTrainer(maxEpochs: 2)
      trainer.profiler = profiler
      trainer.microShards = microShards
      trainer.run = try folder.map { try TrainingRun($0) }
      return try seeded(42) {
        var options = ResNet.Options.defaults
        options.channels = 4
        let model = ResNet(data.config, options)
        try trainer.fit(model, data, optimizer: Adam(model.parameters))
        return model.parameters.map(\.value.elements)
      }
    }
  }

  @Test func everyOperationIsCounted() throws {
    let profiler = Profiler()
    _ = try train(profiler)
    let times = profiler.times
    func calls(_ operation: String, _ layer: String, _ pass: Profiler.Pass) -> Int? {
      times[Profiler.Key(operation: operation, layer: layer, pass: pass)]?.calls
    }
    #expect(calls("conv2d", "stem.conv", .forward) == 10)
    #expect(calls("conv2d", "stem.conv", .backward) == 10)
    #expect(calls("conv2d", "stem.conv", .validation) == 4)
    #expect(calls("batchNorm2d", "blocks.1.conv1.norm", .forward) == 10)
    #expect(calls("batchNorm2d", "blocks.1.conv1.norm", .backward) == 10)
    #expect(calls("add", "blocks.1", .forward) == 10 && calls("add", "blocks.1", .backward) == 10)
    #expect(calls("globalAveragePool", "ResNet", .forward) == 10)
    #expect(calls("linear", "fc", .backward) == 10)
    #expect(calls("crossEntropy", "loss", .forward) == 10)
    #expect(calls("crossEntropy", "loss", .validation) == 4)
    #expect(!times.keys.contains { $0.layer == "outside the network" })
    let parts = profiler.parts.mapValues(\.calls)
    // The last request for a batch finds none.
    #expect(parts[.dataLoading] == 12 && parts[.optimizerStep] == 10)
    #expect(parts[.forward] == 10 && parts[.backward] == 10 && parts[.validation] == 2)
    #expect(parts[.logging] != nil && parts[.readingLosses] != nil && parts[.gradients] == nil)
  }

  /// Times of parts are disjoint, and so are those of operations within a pass.
  @Test func timesAddUp() throws {
    let profiler = Profiler()
    _ = try train(profiler)
    let whole = profiler.total.seconds
    let parts = profiler.parts.mapValues(\.seconds)
    #expect(profiler.total.calls == 1 && whole > 0)
    #expect(parts.values.reduce(0, +) <= whole)
    for (pass, action) in [
      (Profiler.Pass.forward, Profiler.Action.forward), (.backward, .backward),
    ] {
      let operations = profiler.times.filter { $0.key.pass == pass }.values
        .reduce(0) { $0 + $1.seconds }
      let part = try #require(parts[action])
      #expect(operations <= part && operations > 0.3 * part, "\(pass)")
    }
  }

  @Test(arguments: [nil, 4]) func weightsAreTheSame(microShards: Int?) throws {
    let profiler = Profiler()
    let with = try train(profiler, microShards: microShards)
    #expect(try with == train(nil, microShards: microShards))
    #expect(OperationObservation.observer == nil)
    guard let microShards else { return }
    let calls = profiler.times.filter { $0.key.operation == "linear" && $0.key.pass == .forward }
      .values.reduce(0) { $0 + $1.calls }
    #expect(calls == 10 * microShards)
    #expect(profiler.parts[.gradients]?.calls == 10)
    #expect(profiler.report.contains("whose times are added up"))
    // The batch is divided into its parts.
    let others = profiler.times.keys.filter { $0.layer == "outside the network" }
    #expect(Set(others.map(\.operation)) == ["slice"])
  }

  @Test func convolutionsThatAreComputedTogetherAreOneRow() throws {
    let profiler = Profiler()
    try withTinyData { data in
      let trainer = quietTrainer(maxEpochs: 1)
      trainer.profiler = profiler
      let model = seeded(42) { CNN(data.config) }
      try trainer.fit(model, data, optimizer: Adam(model.parameters))
    }
    let layers = profiler.times.filter { $0.key.operation == "conv2d" && $0.value.calls > 0 }
      .keys.filter { $0.pass == .forward }.map(\.layer).sorted()
    // Whether they are is for the kernels to say.
    #expect(
      layers == ["conv1.conv + conv2.conv"] || layers == ["conv1.conv", "conv2.conv"], "\(layers)")
    // An activation that is computed with its convolution has no row.
    #expect(!profiler.report.contains("forward: maxPool2d"))
  }

  @Test func theReportIsATable() throws {
    let profiler = Profiler()
    _ = try train(profiler)
    let lines = profiler.report.split(separator: "\n").map(String.init)
    #expect(lines[0] == "Profiler report")
    let titles = lines.filter { $0.contains("Mean duration (ms) | Calls | Total time (s) |") }
    #expect(
      titles.map { $0.prefix { $0 != "|" }.trimmingCharacters(in: .whitespaces) }
        == ["Action", "By operation", "By layer"])
    #expect(lines[4].hasPrefix("Total ") && lines[4].hasSuffix(" 100.0"))
    // All rows are as wide as the rule.
    let rows = lines.dropFirst().filter { $0.contains("|") || $0.hasPrefix("---") }
    #expect(Set(rows.map(\.count)).count == 1 && rows.count > 30)
    #expect(lines.contains { $0.hasPrefix("backward: conv2d ") })
    #expect(lines.contains { $0.hasPrefix("validation: blocks.2.conv2.conv ") })
  }

  private struct Trace: Decodable {
    struct Event: Decodable {
      let name, ph: String
      let cat: String?
      let ts, dur: Double?
      let tid: Int
      let args: [String: String]?
    }
    let traceEvents: [Event]
    let otherData: [String: String]
  }

  @Test func theTraceIsWrittenWholeAndNested() throws {
    let folder = try TemporaryFolder()
    let profiler = Profiler()
    _ = try train(profiler, in: folder.url)
    let trace = try JSONDecoder().decode(
      Trace.self, from: Data(contentsOf: folder.url.appending(path: "trace.json")))
    let events = trace.traceEvents.filter { $0.ph == "X" }
    #expect(trace.traceEvents.first?.args == ["name": "main"])
    #expect(trace.otherData == ["intervals left out at the end": "0"])
    let conv = events.filter { $0.name == "conv2d" && $0.args == ["layer": "stem.conv"] }
    #expect(conv.filter { $0.cat == "forward" }.count == 10)
    #expect(conv.filter { $0.cat == "validation" }.count == 4)
    // Intervals of a thread are one within the other, or one after the other.
    let sorted = events.filter { $0.tid == 0 }.sorted {
      ($0.ts ?? 0, -($0.dur ?? 0)) < ($1.ts ?? 0, -($1.dur ?? 0))
    }
    var open: [Double] = []
    var crossing = 0
    for event in sorted {
      let (start, end) = (event.ts ?? 0, (event.ts ?? 0) + (event.dur ?? 0))
      while let last = open.last, last <= start + 0.0005 { open.removeLast() }
      if let last = open.last, end > last + 0.001 { crossing += 1 }
      open.append(end)
    }
    #expect(crossing == 0 && sorted.count == events.count && events.count > 300)
    let forward = events.filter { $0.name == "forward" && $0.cat == "training" }
    #expect(forward.count == 10)
  }

  @Test func theTraceIsBounded() throws {
    let folder = try TemporaryFolder()
    let profiler = Profiler(intervalLimit: 20)
    _ = try train(profiler, in: folder.url)
    let trace = try JSONDecoder().decode(
      Trace.self, from: Data(contentsOf: folder.url.appending(path: "trace.json")))
    #expect(trace.traceEvents.filter { $0.ph == "X" }.count == 20)
    let left = try #require(trace.otherData["intervals left out at the end"].flatMap { Int($0) })
    #expect(left > 300)
    // Times have all of them.
    #expect(profiler.parts[.optimizerStep]?.calls == 10)
  }

  @Test func aTraceThatCannotBeWrittenIsAWarning() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      at: folder.url.appending(path: "trace.json"), withIntermediateDirectories: true)
    var warnings: [String] = []
    try withTinyData { data in
      let trainer = quietTrainer(maxEpochs: 1)
      trainer.warn = { warnings.append($0) }
      trainer.profiler = Profiler()
      trainer.run = try TrainingRun(folder.url)
      let model = seeded(1) { MLP(data.config) }
      try trainer.fit(model, data, optimizer: SGD(model.parameters))
    }
    #expect(warnings.count == 1)
    #expect(warnings.first?.hasPrefix("Warning: Profiler: cannot write ") == true)
    #expect(warnings.first?.hasSuffix("trace.json: expected a file, got a folder") == true)
  }

  @Test func anInterruptedTrainingHasItsTrace() throws {
    let folder = try TemporaryFolder()
    try withTinyData { data in
      let trainer = quietTrainer(maxEpochs: 1)
      trainer.profiler = Profiler()
      trainer.run = try TrainingRun(folder.url)
      trainer.isInterrupted = { true }
      let model = seeded(1) { MLP(data.config) }
      #expect(throws: TrainingInterruption.self) {
        try trainer.fit(model, data, optimizer: SGD(model.parameters))
      }
      #expect(trainer.profiler?.parts[.saving]?.calls == 1)
    }
    #expect(TrainingRun.hasState(folder.url))
    let trace = try JSONDecoder().decode(
      Trace.self, from: Data(contentsOf: folder.url.appending(path: "trace.json")))
    #expect(trace.traceEvents.contains { $0.name == "saving" })
  }
}
