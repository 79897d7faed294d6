package dev.parvis

import java.io.File
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.nio.file.Files
import java.security.KeyFactory
import java.security.Signature
import java.security.spec.EdECPrivateKeySpec
import java.security.spec.NamedParameterSpec
import java.util.Base64
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread

/** A `parvis serve` of a test's own, whose ports and folder stay the same when it is started again. */
class Site : AutoCloseable {
    private val folder = Files.createTempDirectory("parvis-test").toFile()

    /** Where it listens: on ports that are free first, and then on the same. */
    private var listens = "127.0.0.1:0" to "127.0.0.1:0"
    private val http = HttpClient.newHttpClient()
    private lateinit var process: Process
    private lateinit var events: LinkedBlockingQueue<String>
    private lateinit var operator: LinkedBlockingQueue<String>

    val url get() = "http://${listens.first}"

    /** The session token of the first administrator, who is called Administrator. */
    val administrator: String

    init {
        start()
        val said = await(events) { field(it, "event") == "administrator" }
        val login = """{"email":"${field(said, "email")}","passphrase":"${field(said, "passphrase")}"}"""
        administrator = field(post("/api/v1/login", login), "token")!!
    }

    private fun start() {
        val program = System.getProperty("parvis.binary")
        val data = File(folder, "data").path
        val command =
            listOf(program, "serve", "--json", "--drain", "1s", "--data", data) +
                listOf("--listen", listens.first, "--relay-listen", listens.second)
        process = ProcessBuilder(command).start()
        events = lines(process.inputStream.bufferedReader())
        operator = lines(process.errorStream.bufferedReader())
        val serving = await(events) { field(it, "event") == "serving" }
        listens = address(field(serving, "site")!!) to address(field(serving, "relay")!!)
    }

    /** Waits for a line; where the service ends instead, says what it has said. */
    private fun await(queue: LinkedBlockingQueue<String>, wanted: (String) -> Boolean): String {
        while (true) {
            val line = queue.poll(60, TimeUnit.SECONDS) ?: error("nothing comes any more")
            if (wanted(line)) return line
            if (line != END) continue
            queue.add(END)
            val said = generateSequence { operator.poll(10, TimeUnit.SECONDS)?.takeIf { it != END } }
            error("parvis serve has ended: ${said.joinToString("\n")}")
        }
    }

    /** As a crash: nobody is told. */
    fun kill() {
        process.destroyForcibly().waitFor()
    }

    /** Starts it again after [kill]. */
    fun startAgain() = start()

    /** Makes an account and proves its address; returns its session token. */
    fun account(name: String, email: String): String {
        val passphrase = "correct horse battery staple"
        val sent = field(post("/api/v1/accounts", """{"email":"$email","name":"$name"}"""), "proof")!!
        val line = await(operator) { "proves $email: " in it }
        val code = line.substringAfter("proves $email: ").take(10)
        val proof = """{"proof":"$sent","email":"$email","code":"$code","passphrase":"$passphrase"}"""
        return field(post("/api/v1/accounts/proof", proof), "token")!!
    }

    /** Makes a room of somebody; returns its link. */
    fun room(owner: String = administrator): String = field(post("/api/v1/rooms", "{}", owner), "url")!!

    /** Asks for a ticket as the library does; returns the answer. */
    fun ticket(code: String, name: String): String =
        post("/api/v1/rooms/$code/join", """{"name":"$name","device":"device"}""")

    /** The same token, expired an hour ago. */
    fun expired(token: String): String {
        val jwk = File(folder, "data/issuer.key").readText()
        val seed = EdECPrivateKeySpec(NamedParameterSpec.ED25519, Base64.getUrlDecoder().decode(field(jwk, "d")))
        val key = KeyFactory.getInstance("Ed25519").generatePrivate(seed)
        val (header, claims) = token.split('.')
        val anHourAgo = System.currentTimeMillis() / 1000 - 3600
        val said = String(Base64.getUrlDecoder().decode(claims))
        val past = said.replace(Regex("\"exp\":\\d+"), "\"exp\":$anHourAgo")
            .replace(Regex("\"(iat|nbf)\":\\d+"), "\"$1\":${anHourAgo - 60}")
        val encoder = Base64.getUrlEncoder().withoutPadding()
        val signed = header + "." + encoder.encodeToString(past.toByteArray())
        val signature = Signature.getInstance("Ed25519").apply { initSign(key) }
        signature.update(signed.toByteArray())
        return signed + "." + encoder.encodeToString(signature.sign())
    }

    private fun post(path: String, body: String, session: String? = null): String {
        val asking = HttpRequest.newBuilder(URI(url + path)).header("Content-Type", "application/json")
        session?.let { asking.header("Authorization", "Bearer $it") }
        asking.POST(HttpRequest.BodyPublishers.ofString(body))
        val answer = http.send(asking.build(), HttpResponse.BodyHandlers.ofString())
        check(answer.statusCode() < 300) { "$path: ${answer.statusCode()} ${answer.body()}" }
        return answer.body()
    }

    override fun close() {
        process.destroy()
        if (!process.waitFor(10, TimeUnit.SECONDS)) process.destroyForcibly().waitFor()
        folder.deleteRecursively()
    }

    companion object {
        /** A text field of a flat JSON object. */
        fun field(json: String, name: String): String? =
            Regex("\"$name\":\\s*\"((?:[^\"\\\\]|\\\\.)*)\"").find(json)?.groupValues?.get(1)

        /** Comes after the last line. */
        private const val END = "\u0000"

        private fun address(url: String) = url.substringAfter("://")

        private fun lines(from: java.io.BufferedReader): LinkedBlockingQueue<String> {
            val queue = LinkedBlockingQueue<String>()
            thread(isDaemon = true) {
                // It ends when the process does.
                runCatching { from.useLines { lines -> lines.forEach(queue::add) } }
                queue.add(END)
            }
            return queue
        }
    }
}
