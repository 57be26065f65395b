import TestSupport
import Testing

@testable import Engine

@Suite struct ModelFamilyTests {
  private let family = ModelFamily([4, 2].map { Model(name: "×\($0)", network: Sized(scale: $0)) })

  /// The size of the output for pictures of 90 × 70, and the scale that reaches it.
  static let sizes: [(width: Int, height: Int, scale: Int)] = [
    (360, 280, 4), (180, 140, 2), (90, 70, 2), (45, 35, 2), (181, 140, 4), (180, 141, 4),
    (60, 280, 4), (720, 560, 4),
  ]

  @Test(arguments: sizes)
  func theSmallestScaleThatReachesASizeIsChosen(width: Int, height: Int, scale: Int) {
    #expect(family.model(enlarging: (90, 70), to: (width, height)).scale == scale)
  }

  @Test func withoutASizeItEnlargesTheMost() {
    #expect(family.scale == 4)
  }

  @Test func oneModelIsAlwaysChosen() {
    let family = ModelFamily([Model(name: "", network: Sized(scale: 2))])
    #expect(family.scale == 2)
    for side in [1, 90, 1000] {
      #expect(family.model(enlarging: (90, 90), to: (side, side)).scale == 2)
    }
  }

  @Test(arguments: BundledModel.families)
  func theModelsOfAFamilyDifferInTheirScale(name: String) throws {
    let models = try ModelFamily(named: name).models
    #expect(Set(models.map(\.scale)).count == models.count)
    #expect(models.map(\.scale) == models.map(\.scale).sorted())
  }

  // The name of a family's largest scale is the family's, so that it means the same everywhere.
  @Test(arguments: BundledModel.families)
  func theNameOfAFamilyIsItsLargestModel(name: String) throws {
    #expect(try ModelFamily(named: name).scale == Model(named: name).scale)
  }

  @Test func aNameOrAPathIsAFamilyOfOne() throws {
    for name in BundledModel.all.map(\.name) where !BundledModel.families.contains(name) {
      #expect(try ModelFamily(named: name).models.map(\.name) == [name])
    }
    let path = repositoryRoot + "Tests/EngineTests/Fixtures/srvgg-x2.pth"
    #expect(try ModelFamily(named: path).models.map(\.path) == [path])
    expectModelError("bundled are: fast", subject: "'fsat'") { try ModelFamily(named: "fsat") }
  }

  /// Nothing but a scale.
  private struct Sized: Network {
    let scale: Int

    func graph(height: Int, width: Int) -> Graph {
      var graph = Graph()
      let picture = graph.input(Shape(height: height, width: width, channels: 3))
      graph.output = graph.nearest(picture, factor: scale)
      return graph
    }
  }
}
