import Foundation
import StandardStreams

/// Returns the result of `body`, which is computed once: a later run of the notebook gets the stored
/// value and shows the stored output, as long as nothing that the result depends on has changed.
///
/// ```swift
/// cell("A convolutional network")
/// let history = attempt {
///   try cached("cnn", changing: [model]) { try trainer.fit(model, data, optimizer: adam) }
/// }
/// ```
///
/// | a result depends on | |
/// | --- | --- |
/// | code | of this cell and of all earlier ones, of the declarations that they use, and of the package's sources; comments and prose do not count |
/// | parameters | all parameters of the notebook, and what was declared with ``dependsOn(_:_:)`` |
/// | data | the folders declared with ``noteData(in:)`` before, or by `body` |
/// | state | of random generators and of what is in `states`, before `body` |
///
/// `body` does not run again if something else that it reads has changed, such as the clock or a file
/// that was not declared. Everything that it changes must be in `states`, except the library's shared
/// random generator. The stored output is what `body` prints, shows and notes.
///
/// A result is not stored if `body` throws or reports an error, or if it cannot be written; a warning
/// says so. With `--no_cache`, the runner lets everything be computed; `--refresh cnn` computes one
/// result again.
///
/// - Parameters:
///   - name: The name, unique in the notebook.
///   - states: What `body` changes besides its value.
///   - line: The line of the call.
///   - file: The file of the call.
///   - body: Computes the result.
/// - Returns: The result.
@MainActor
public func cached<Value: Codable>(
  _ name: String, changing states: [any CachedState] = [], line: Int = #line,
  file: String = #filePath, _ body: () throws -> Value
) rethrows -> Value {
  try cachedResult(name, changing: states, line: line, file: file) { _ in try body() }
}

/// Runs `body` once: a later run of the notebook shows what it printed and showed; see
/// ``cached(_:changing:line:file:_:)-(_,_,_,_,()->Value)``.
@MainActor
public func cached(
  _ name: String, changing states: [any CachedState] = [], line: Int = #line,
  file: String = #filePath, _ body: () throws -> Void
) rethrows {
  _ = try cachedResult(name, changing: states, line: line, file: file) { _ in
    try body()
    return true
  }
}

/// Returns the result of `body`, which is computed once, with a value that it changes, such as a random
/// generator.
///
/// ```swift
/// var random = RandomState(seed: 42)
/// let sample = cached("sample", updating: &random) { random in (0..<9).map { _ in random.word() } }
/// ```
///
/// - Parameters:
///   - name: The name, unique in the notebook.
///   - state: What `body` changes.
///   - line: The line of the call.
///   - file: The file of the call.
///   - body: Computes the result.
/// - Returns: The result; see ``cached(_:changing:line:file:_:)``.
@MainActor
public func cached<Value: Codable, State: Codable>(
  _ name: String, updating state: inout State, line: Int = #line, file: String = #filePath,
  _ body: (inout State) throws -> Value
) rethrows -> Value {
  let before = state
  let result = try cachedResult(
    name, inputs: [(try? resultEncoder.encode(before)) ?? Data()], line: line, file: file
  ) { _ in
    var state = before
    let value = try body(&state)
    return ValueAndState(value: value, state: state)
  }
  state = result.state
  return result.value
}

private struct ValueAndState<Value: Codable, State: Codable>: Codable {
  let value: Value
  let state: State
}

/// Something that a computation changes besides its result, such as a model that is trained or a random
/// generator: the state afterwards is stored with the result.
public protocol CachedState {
  /// The state as bytes: the same state gives the same bytes.
  ///
  /// - Throws: An error if it cannot be saved; then the result is computed and not stored.
  func savedState() throws -> Data

  /// Reads a saved state.
  ///
  /// - Parameter data: The bytes of an earlier ``savedState()``.
  /// - Returns: A function that puts the object into the state; it must not fail.
  /// - Throws: An error if the bytes do not fit.
  func restoration(of data: Data) throws -> () -> Void
}

/// Declares that all results of ``cached(_:changing:line:file:_:)`` depend on a value from now on.
///
/// ```swift
/// dependsOn("Kernels", KernelSet.current.name)
/// ```
///
/// - Parameters:
///   - name: The name; a later value of the same name replaces the earlier one.
///   - value: The value.
@MainActor
public func dependsOn(_ name: String, _ value: String) {
  Session.current.results.dependencies[name] = value
}

/// Declares that each computation of a result may change something, such as a random generator that all
/// parts of a program share.
///
/// - Parameters:
///   - name: A name; a later state of the same name replaces the earlier one.
///   - state: What may change.
@MainActor
public func sharesState(_ name: String, _ state: any CachedState) {
  Session.current.results.sharedStates[name] = state
}

/// ``cached(_:changing:line:file:_:)`` for a computation that can save its progress.
///
/// - Parameters:
///   - name: The name, unique in the notebook.
///   - states: What `body` changes besides its value.
///   - inputs: Further bytes that the result depends on.
///   - line: The line of the call.
///   - file: The file of the call.
///   - body: Computes the result. Its argument is a folder for its progress, from which it goes on
///     if it was interrupted; `nil` if it is not to save any. A folder that does not exist has none.
/// - Returns: The result.
@MainActor
package func cachedResult<Value: Codable>(
  _ name: String, changing states: [any CachedState] = [], inputs: [Data] = [], line: Int,
  file: String, _ body: (_ progress: URL?) throws -> Value
) rethrows -> Value {
  let session = Session.current
  session.results.claim(name, line: line)
  let states = session.results.sharedStates.sorted { $0.key < $1.key }.map(\.value) + states
  guard let cache = session.results.cache,
    let key = session.results.key(of: name, states, inputs, file: file)
  else { return try body(nil) }
  if !session.results.isRefreshed(name) {
    switch cache.result(name, key: key) {
    case .result(let result):
      if let value: Value = replay(result, states, from: cache.folder(name, key: key)) {
        return value
      }
      session.results.warn("the stored result “\(name)” does not fit; it is computed again")
    case .damaged(let reason):
      session.results.warn("of the stored result “\(name)”, \(reason); it is computed again")
    case .outdated, .nothing: break
    }
  }
  let progress = cache.progressFolder(name, key: key)
  let lock = session.results.startProgress(in: progress)
  defer { withExtendedLifetime(lock) {} }
  let (started, time) = (monotonicTime(), Date().timeIntervalSince1970)
  let failures = session.failureCount
  let recorder = Recorder()
  recorder.start()
  let value: Value
  do {
    defer {
      recorder.stop()
      // If nothing was saved, nothing is left.
      rmdir(withoutSlash(progress.path(percentEncoded: false)))
    }
    value = try body(lock == nil ? nil : progress)
  }
  guard session.failureCount == failures else { return value }
  let entry = ResultCache.Entry(
    notebook: session.name, name: name, key: key, time: time,
    seconds: monotonicTime() - started, files: [:], data: [:])
  session.results.store(value, states, recorder, as: entry, in: cache)
  if let lock { ResultCache.remove(progress, holding: lock) }
  return value
}

/// Puts states and output of a stored result in place.
///
/// - Returns: Its value; `nil` if something does not fit, in which case nothing has happened.
@MainActor
private func replay<Value: Codable>(
  _ result: ResultCache.Result, _ states: [any CachedState], from folder: URL
) -> Value? {
  guard let data = result.files["value.json"],
    let value = try? resultDecoder.decode(Value.self, from: data),
    let text = result.files["outputs.json"],
    let outputs = try? resultDecoder.decode([RecordedOutput].self, from: text)
  else { return nil }
  var restorations: [() -> Void] = []
  for (index, state) in states.enumerated() {
    guard let data = result.files["state-\(index)"],
      let restoration = try? state.restoration(of: data)
    else { return nil }
    restorations.append(restoration)
  }
  for output in outputs {
    switch output {
    case .figure(_, let file, _), .event(_, let file?):
      if result.files[file] == nil { return nil }
    case .event, .bytes: break
    }
  }
  for restore in restorations { restore() }
  let (entry, session) = (result.entry, Session.current)
  session.tell(Page.Cached(name: entry.name, time: entry.time, seconds: entry.seconds))
  for output in outputs {
    switch output {
    case .bytes(let bytes, .standardOutput): StandardStreams.printBytes(bytes)
    case .bytes(let bytes, .standardError):
      fflush(nil)
      StandardStreams.writeError(bytes)
    case .figure(let figure, let file, let showsTimes):
      attempt {
        try session.show(figure, png: result.files[file] ?? Data(), showsTimes: showsTimes)
      }
    case .event(.time(let line), _): tellTime(line.text)
    case .event(.inspection(let inspection), let file):
      attempt { try session.show(inspection, png: file.flatMap { result.files[$0] }) }
    case .event(let event, _): session.report(event)
    }
  }
  return value
}

/// Encodes values so that the same value gives the same bytes, NaN included.
var resultEncoder: JSONEncoder {
  let encoder = JSONEncoder()
  encoder.outputFormatting = .sortedKeys
  encoder.nonConformingFloatEncodingStrategy = .convertToString(
    positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
  return encoder
}

private var resultDecoder: JSONDecoder {
  let decoder = JSONDecoder()
  decoder.nonConformingFloatDecodingStrategy = .convertFromString(
    positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
  return decoder
}
