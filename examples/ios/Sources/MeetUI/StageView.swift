#if canImport(SwiftUI) && os(iOS)
import MeetModels
import Parvis
import ParvisApple
import SwiftUI

/// The large picture, if there is one, and the grid.
struct StageView: View {
    let call: CallModel

    var body: some View {
        GeometryReader { area in
            let stage = call.stage
            VStack(spacing: 8) {
                if let large = stage.large {
                    tile(large, width: area.size.width, height: area.size.height * 0.65)
                        .frame(height: area.size.height * 0.65)
                }
                let height = stage.large == nil ? area.size.height : area.size.height * 0.35 - 8
                let grid = GridLayout(count: stage.grid.count, width: area.size.width, height: height)
                if stage.grid.isEmpty, stage.large == nil {
                    ContentUnavailableView("Nobody else is here", systemImage: "person.2.slash")
                } else if grid.columns > 0 {
                    let columns = Array(repeating: GridItem(.fixed(grid.tileWidth), spacing: 8), count: grid.columns)
                    LazyVGrid(columns: columns, spacing: 8) {
                        ForEach(stage.grid) { one in
                            tile(one, width: grid.tileWidth, height: grid.tileHeight)
                                .frame(width: grid.tileWidth, height: grid.tileHeight)
                        }
                    }
                    .frame(maxHeight: .infinity)
                }
            }
        }
        .padding(8)
        .overlay(alignment: .topTrailing) {
            if call.stage.hidden > 0 {
                Text("+\(call.stage.hidden)")
                    .font(.caption.bold())
                    .padding(6)
                    .background(.thinMaterial, in: Capsule())
                    .padding(16)
            }
        }
        .animation(.snappy, value: call.stage)
    }

    private func tile(_ tile: Stage.Tile, width: Double, height: Double) -> some View {
        TileView(call: call, tile: tile, width: width, height: height)
            .onTapGesture(count: 2) {
                Task { await call.pin(call.stage.pinned == tile.participant ? nil : tile.participant) }
            }
    }
}

/// Somebody's picture with name and signs.
struct TileView: View {
    let call: CallModel
    let tile: Stage.Tile
    let width: Double
    let height: Double

    var body: some View {
        let participant = call.meeting.participant(tile.participant)
        let speaks = call.meeting.state.speakers.contains(tile.participant) && tile.source == .camera
        ZStack {
            Color(.secondarySystemBackground)
            if isOn(participant) {
                PictureView(meeting: call.meeting.meeting, participant: tile.participant, source: tile.source)
                    .id(tile)
            } else {
                Text(Wording.initials(of: participant?.name ?? ""))
                    .font(.system(size: min(width, height) / 3, weight: .semibold, design: .rounded))
                    .foregroundStyle(.secondary)
            }
        }
        .overlay(alignment: .bottomLeading) { plate(participant) }
        .overlay(alignment: .topLeading) { hand }
        .clipShape(RoundedRectangle(cornerRadius: 14))
        .overlay {
            RoundedRectangle(cornerRadius: 14)
                .strokeBorder(speaks ? Color.green : .clear, lineWidth: 3)
        }
        .accessibilityElement(children: .ignore)
        .accessibilityLabel(Wording.description(of: participant, source: tile.source, speaks: speaks))
    }

    private func isOn(_ participant: Participant?) -> Bool {
        guard let media = participant?.media else { return false }
        return tile.source == .screen ? media.screen == .on : media.camera == .on
    }

    private func plate(_ participant: Participant?) -> some View {
        HStack(spacing: 4) {
            if participant?.media.microphone != .on {
                Image(systemName: "mic.slash.fill").foregroundStyle(.red)
            }
            Text(participant?.name ?? "")
                .lineLimit(1)
            if participant?.quality == .poor || participant?.quality == .lost {
                Image(systemName: "wifi.exclamationmark").foregroundStyle(.yellow)
            }
        }
        .font(.caption)
        .padding(.horizontal, 8)
        .padding(.vertical, 4)
        .background(.ultraThinMaterial, in: Capsule())
        .padding(8)
    }

    @ViewBuilder private var hand: some View {
        if tile.source == .camera, let place = call.meeting.handPosition(of: tile.participant) {
            Label("\(place)", systemImage: "hand.raised.fill")
                .font(.caption.bold())
                .padding(.horizontal, 8)
                .padding(.vertical, 4)
                .background(.yellow, in: Capsule())
                .foregroundStyle(.black)
                .padding(8)
        }
    }
}
#endif
