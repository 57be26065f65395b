extension Image {
  /// The middle of at most this size; the picture itself where it is no larger.
  package func middle(width most: Int, height highest: Int) -> Image {
    guard width > most || height > highest else { return self }
    let part = Image(width: min(width, most), height: min(height, highest))
    let (left, top) = ((width - part.width) / 2, (height - part.height) / 2)
    for index in 0..<Image.planeCount {
      for y in 0..<part.height {
        let row = plane(index) + (top + y) * stride + left
        (part.plane(index) + y * part.stride).update(from: row, count: part.width)
      }
    }
    return part
  }
}
