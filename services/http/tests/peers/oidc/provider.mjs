// An OpenID Connect provider for tests (oidc-provider, certified). Tells its issuer as a JSON line; who signs in
// is the account in the header x-test-account, without a question. Ends with its standard input.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const redirects = process.argv.slice(2);
const people = {
  zoe: { email: "zoe@example.org", email_verified: true, name: "Zoé", organisations: ["ministry", "town"] },
  moved: { email: "zoe.b@example.org", email_verified: true, name: "Zoé B." },
  unverified: { email: "zoe@example.org", email_verified: false, name: "Not Zoé" },
  nameless: {},
  // What ProConnect says of somebody.
  angela: { email: "angela@example.org", given_name: "Angela Claire", usual_name: "Dubois", family_name: "Durand" },
  jean: { email: "jean@example.org", email_verified: true, given_name: "Jean", family_name: "Durand" },
};

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: "parvis",
        client_secret: "a secret of the tests",
        redirect_uris: redirects,
        grant_types: ["authorization_code"],
        response_types: ["code"],
      },
    ],
    cookies: { keys: ["a key of the tests"] },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "organisations", "given_name", "usual_name", "family_name"] },
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: id, ...people[id] }) }),
    async loadExistingGrant(ctx) {
      const grant = new ctx.oidc.provider.Grant({
        clientId: ctx.oidc.client.clientId,
        accountId: ctx.oidc.session.accountId,
      });
      grant.addOIDCScope("openid email profile");
      await grant.save();
      return grant;
    },
  });
  const answer = provider.callback();
  server.on("request", async (request, response) => {
    if (!request.url.startsWith("/interaction/")) return answer(request, response);
    // `zoe as moved` is the account zoe, of which the provider says from then on what it says of moved.
    const [account, other] = (request.headers["x-test-account"] ?? "").split(" as ");
    if (other) people[account] = people[other];
    const result = account ? { login: { accountId: account } } : { error: "access_denied" };
    await provider.interactionFinished(request, response, result);
  });
  console.log(JSON.stringify({ issuer }));
});
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
