package dev.parvis.app

import dev.parvis.DisconnectReason
import dev.parvis.ErrorKind
import dev.parvis.Lobby
import dev.parvis.ParvisException
import dev.parvis.Source

/** What went wrong, for people; what only developers understand is not in it. */
fun ParvisException.inWords(): String =
    when (kind) {
        ErrorKind.DENIED ->
            retryAfter?.let { "The host said no. You can knock again in ${it.inWholeSeconds} s." } ?: kind.inWords()
        else -> kind.inWords()
    }

/** What went wrong, for people. */
fun ErrorKind.inWords(): String =
    when (this) {
        ErrorKind.BAD_CODE -> "This is no meeting link and no code."
        ErrorKind.NO_SITE -> "A code alone needs the address of its site. Paste the whole link."
        ErrorKind.NOT_FOUND -> "There is no such meeting. Is the link complete?"
        ErrorKind.BAD_NAME -> "A name has 1 to 50 characters."
        ErrorKind.DENIED -> "The host said no."
        ErrorKind.LOBBY_FULL -> "Too many people wait. Try again in a moment."
        ErrorKind.ROOM_FULL -> "The meeting is full."
        ErrorKind.REMOVED -> "A host removed you."
        ErrorKind.ROOM_ENDED -> "The meeting is over."
        ErrorKind.FORBIDDEN -> "Only hosts may do this."
        ErrorKind.RATE_LIMITED -> "Not so fast. Wait a moment."
        ErrorKind.TOO_LONG -> "This is too long."
        ErrorKind.EMPTY -> "There is nothing in it."
        ErrorKind.PERMISSION_DENIED -> "The app may not use this. Allow it in the settings of the phone."
        ErrorKind.NOT_LET_IN, ErrorKind.NO_TOKEN -> "The invitation is not valid any more."
        ErrorKind.NAME_TAKEN -> "You are in this meeting already."
        ErrorKind.SERVICE_UNAVAILABLE, ErrorKind.UNKNOWN_HOST, ErrorKind.UNREACHABLE ->
            "The meeting cannot be reached. Are you online?"
        ErrorKind.CERTIFICATE_REJECTED, ErrorKind.BAD_TRUST -> "This site does not prove who it is."
        ErrorKind.LOST, ErrorKind.NO_ANSWER -> "The connection is lost."
        ErrorKind.CALLBACK -> "The phone does not give it. Another app may have it."
        ErrorKind.CODEC -> "This phone cannot encode or decode it."
        else -> "That did not work ($this)."
    }

/** What it is called, for people. */
fun Source.inWords(): String =
    when (this) {
        Source.MICROPHONE -> "microphone"
        Source.CAMERA -> "camera"
        Source.SCREEN -> "screen"
    }

/** How it stands in the lobby, for people. */
fun Lobby.inWords(): String =
    when (this) {
        Lobby.WaitingForHost -> "Waiting for the host to come"
        is Lobby.Waiting -> "The host has been asked to let you in"
        is Lobby.Denied -> "The host said no"
        Lobby.TimedOut -> "Nobody answered"
        Lobby.Full -> "Too many people wait"
        Lobby.Outside -> "Outside"
    }

/** Why it is over, for people. */
fun DisconnectReason.inWords(): String =
    when (this) {
        DisconnectReason.Left -> "You left"
        DisconnectReason.Removed -> "A host removed you"
        DisconnectReason.RoomEnded -> "The meeting is over"
        is DisconnectReason.Lost -> "The connection is lost"
    }
