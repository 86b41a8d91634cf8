/// The whole library: `import Lab` gives what all of its modules offer.
///
/// A program that needs less imports less: `LabTensors` alone has neither files nor networks.
@_exported import LabData
@_exported import LabDatasets
@_exported import LabExperiments
@_exported import LabFiles
@_exported import LabHandwriting
@_exported import LabModels
@_exported import LabNetworks
@_exported import LabRandom
@_exported import LabTensors
@_exported import LabText
@_exported import LabTraining
