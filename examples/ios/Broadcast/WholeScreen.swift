import ParvisApple

/// The principal class of the broadcast extension: it gives the whole screen to the app.
final class WholeScreen: BroadcastHandler {}
