"""A mail server for tests (aiosmtpd). Tells its port, then each message that it takes, as JSON lines.

Addresses decide what becomes of a message: busy-N@... is refused for a moment N times, nobody@... for ever.
Ends with its standard input.
"""

import asyncio
import json
import sys
from email import message_from_bytes
from email.policy import default

from aiosmtpd.smtp import SMTP


def tell(what):
    print(json.dumps(what), flush=True)


class Handler:
    def __init__(self):
        self.refused = {}

    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.split("@")[0]
        if name == "nobody":
            return "550 no such user"
        if name.startswith("busy-"):
            self.refused[address] = self.refused.get(address, 0) + 1
            if self.refused[address] <= int(name.split("-")[1]):
                tell({"refused": address})
                return "451 busy, try again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = message_from_bytes(envelope.content, policy=default)
        parts = [
            {
                "type": part.get_content_type(),
                "method": part.get_param("method"),
                "filename": part.get_filename(),
                "text": part.get_payload(decode=True).decode(),
            }
            for part in message.walk()
            if not part.is_multipart()
        ]
        tell(
            {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "id": message["Message-ID"],
                "subject": message["Subject"],
                "reply_to": message["Reply-To"],
                "parts": parts,
            }
        )
        return "250 OK"


async def main():
    handler = Handler()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(handler, hostname="127.0.0.1"), "127.0.0.1", 0)
    tell({"port": server.sockets[0].getsockname()[1]})
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
