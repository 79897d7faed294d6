/// Where tiles of one shape lie in an area, as large as they can be.
public struct GridLayout: Equatable, Sendable {
    /// Tiles side by side.
    public let columns: Int
    /// Tiles one above the other.
    public let rows: Int
    /// Of one tile, in points.
    public let tileWidth: Double
    /// Of one tile, in points.
    public let tileHeight: Double

    /// The layout in which `count` tiles are largest.
    ///
    /// - Parameters:
    ///   - count: how many tiles; none of them makes an empty grid.
    ///   - width: of the area, in points.
    ///   - height: of the area, in points.
    ///   - aspect: width through height of a tile.
    ///   - spacing: between two tiles, in points.
    public init(count: Int, width: Double, height: Double, aspect: Double = 16.0 / 9.0, spacing: Double = 8) {
        var best = (columns: 0, rows: 0, width: 0.0)
        for columns in stride(from: 1, through: max(count, 0), by: 1) {
            let rows = (count + columns - 1) / columns
            let fromWidth = (width - spacing * Double(columns - 1)) / Double(columns)
            let fromHeight = (height - spacing * Double(rows - 1)) / Double(rows) * aspect
            let tile = min(fromWidth, fromHeight)
            if tile > best.width {
                best = (columns, rows, tile)
            }
        }
        columns = best.columns
        rows = best.rows
        tileWidth = best.width
        tileHeight = best.width / aspect
    }

    /// How many tiles fit in rows that are full.
    public var capacity: Int { columns * rows }
}
