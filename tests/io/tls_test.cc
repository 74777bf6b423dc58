#include "io/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>

#include "base/fd.h"
#include "io/tls_files.h"

using namespace rt;
using namespace rt::io;
using namespace rt::test;

namespace {

// OpenSSL's own client on the other end of a socket pair; both ends are non-blocking.
class TlsClient {
 public:
  TlsClient(int fd, const std::vector<std::string>& protocols, int version_max = 0)
      : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free),
        raw_(SSL_new(context_.get()), SSL_free) {
    std::string wire;
    for (const std::string& name : protocols) {
      wire += static_cast<char>(name.size());
      wire += name;
    }
    if (version_max != 0) {
      SSL_set_min_proto_version(raw_.get(), TLS1_VERSION);
      SSL_set_security_level(raw_.get(), 0);
      SSL_set_max_proto_version(raw_.get(), version_max);
    }
    SSL_set_alpn_protos(raw_.get(), reinterpret_cast<const unsigned char*>(wire.data()),
                        static_cast<unsigned>(wire.size()));
    SSL_set_fd(raw_.get(), fd);
    SSL_set_connect_state(raw_.get());
  }
  bool shake_hands() {
    ERR_clear_error();
    return SSL_do_handshake(raw_.get()) == 1;
  }
  std::string read() {
    std::string text(1 << 16, '\0');
    std::size_t got = 0;
    ERR_clear_error();
    SSL_read_ex(raw_.get(), text.data(), text.size(), &got);
    return text.substr(0, got);
  }
  void write(const std::string& text) {
    std::size_t sent = 0;
    REQUIRE(SSL_write_ex(raw_.get(), text.data(), text.size(), &sent) == 1);
  }
  void say_goodbye() { SSL_shutdown(raw_.get()); }
  std::string subject_of_peer() {
    const std::unique_ptr<X509, decltype(&X509_free)> peer(SSL_get1_peer_certificate(raw_.get()),
                                                           X509_free);
    char text[64] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(peer.get()), NID_commonName, text, sizeof text);
    return text;
  }
  SSL* raw() { return raw_.get(); }

 private:
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> raw_;
};

struct Ends {
  Ends() {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    server = Fd(fds[0]);
    client = Fd(fds[1]);
  }
  Fd server;
  Fd client;
};

TlsSession::State shake_hands(TlsClient& client, TlsSession& session) {
  auto state = TlsSession::State::waits;
  for (int i = 0; i < 10 && state == TlsSession::State::waits; ++i) {
    client.shake_hands();
    state = session.shake_hands();
  }
  client.shake_hands();
  return state;
}

std::string read_all(TlsSession& session) {
  std::string all;
  char buffer[1000];
  for (;;) {
    const auto moved = session.read(buffer, sizeof buffer);
    if (moved.state != TlsSession::State::ready) return all;
    all.append(buffer, moved.bytes);
  }
}

void put(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

}  // namespace

TEST_CASE("tls: files that cannot be used are named, with the reason", "[io][tls]") {
  const TlsFolder folder;
  const TlsFiles good = folder.make("a");
  const TlsFiles other = folder.make("b");
  const TlsFiles secret = folder.make("c", "passphrase");
  put(folder.file("empty"), "");
  put(folder.file("text"), "no certificate\n");
  const auto error = [](const TlsFiles& files) {
    const auto context = TlsContext::load(files);
    REQUIRE_FALSE(context);
    CHECK(context.error().code == Code::usage);
    return context.error().text;
  };
  using Catch::Contains;
  CHECK_THAT(error({folder.file("none"), good.key}),
             Contains("/none") && Contains("No such file or directory"));
  CHECK_THAT(error({good.certificates, folder.file("none")}), Contains("cannot read key file"));
  CHECK_THAT(error({folder.file("empty"), good.key}), Contains("/empty is empty"));
  CHECK_THAT(error({folder.file("text"), good.key}), Contains("/text: no start line"));
  CHECK_THAT(error({good.certificates, folder.file("text")}), Contains("cannot use key file"));
  CHECK_THAT(error({good.certificates, other.key}),
             Contains("b.key does not belong to the certificate in") && Contains("a.pem"));
  CHECK_THAT(error(secret), Contains("c.key"));
}

TEST_CASE("tls: a context says what it proves", "[io][tls]") {
  const TlsFolder folder;
  const auto context = TlsContext::load(folder.make("localhost"));
  REQUIRE(context);
  CHECK((*context)->subject() == "CN=localhost");
  CHECK_THAT((*context)->expires(), Catch::Contains("GMT"));
}

TEST_CASE("tls: the protocol is the server's first among those the client offers", "[io][tls]") {
  const TlsFolder folder;
  const auto context = *TlsContext::load(folder.make("a"));
  const auto chosen = [&](const std::vector<std::string>& offered) {
    Ends ends;
    TlsClient client(ends.client.get(), offered);
    TlsSession session(*context, ends.server.get());
    if (shake_hands(client, session) != TlsSession::State::ready) return std::string("failed");
    CHECK(session.is_established());
    return std::string(session.protocol());
  };
  CHECK(chosen({"http/1.1", "h2"}) == "h2");
  CHECK(chosen({"http/1.1"}) == "http/1.1");
  CHECK(chosen({}).empty());
  CHECK(chosen({"spdy/3"}) == "failed");
}

TEST_CASE("tls: bytes pass both ways, and a goodbye is told from a failure", "[io][tls]") {
  const TlsFolder folder;
  const auto context = *TlsContext::load(folder.make("a"));
  Ends ends;
  TlsClient client(ends.client.get(), {"h2"});
  TlsSession session(*context, ends.server.get());
  REQUIRE(shake_hands(client, session) == TlsSession::State::ready);
  CHECK(client.subject_of_peer() == "a");
  char buffer[16];
  CHECK(session.read(buffer, sizeof buffer).state == TlsSession::State::waits);
  client.write(std::string(5000, 'c'));
  CHECK(read_all(session) == std::string(5000, 'c'));
  CHECK(session.write("hello").bytes == 5);
  CHECK(client.read() == "hello");
  session.say_goodbye();
  CHECK(client.read().empty());
  CHECK((SSL_get_shutdown(client.raw()) & SSL_RECEIVED_SHUTDOWN) != 0);
  client.say_goodbye();
  CHECK(session.read(buffer, sizeof buffer).state == TlsSession::State::closed);
}

TEST_CASE("tls: what a full socket does not take is bounded and goes out in order", "[io][tls]") {
  const TlsFolder folder;
  const auto context = *TlsContext::load(folder.make("a"));
  Ends ends;
  TlsClient client(ends.client.get(), {"h2"});
  TlsSession session(*context, ends.server.get());
  REQUIRE(shake_hands(client, session) == TlsSession::State::ready);
  std::string sent;
  for (int i = 0; !session.wants_write(); ++i) {
    REQUIRE(i < 1000);
    const std::string text(50'000, static_cast<char>('a' + i % 26));
    const auto moved = session.write(text);
    CHECK(moved.state == TlsSession::State::ready);
    sent += text.substr(0, moved.bytes);
  }
  const auto refused = session.write("more");
  CHECK(refused.state == TlsSession::State::waits);
  CHECK(refused.bytes == 0);
  std::string got;
  for (int i = 0; i < 100'000 && got.size() < sent.size(); ++i) {
    got += client.read();
    session.flush();
  }
  CHECK(got == sent);
  CHECK_FALSE(session.wants_write());
  CHECK(session.write("more").bytes == 4);
}

TEST_CASE("tls: a session goes on with the context it began with", "[io][tls]") {
  const TlsFolder folder;
  auto context = *TlsContext::load(folder.make("old"));
  Ends ends;
  TlsClient client(ends.client.get(), {"h2"});
  TlsSession session(*context, ends.server.get());
  context = *TlsContext::load(folder.make("new"));
  REQUIRE(shake_hands(client, session) == TlsSession::State::ready);
  CHECK(client.subject_of_peer() == "old");
  CHECK(session.write("x").bytes == 1);
  CHECK(client.read() == "x");
}

TEST_CASE("tls: what is no TLS, or too old, fails and says why", "[io][tls]") {
  const TlsFolder folder;
  const auto context = *TlsContext::load(folder.make("a"));
  SECTION("plain HTTP") {
    Ends ends;
    const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    REQUIRE(::send(ends.client.get(), request.data(), request.size(), 0) > 0);
    TlsSession session(*context, ends.server.get());
    CHECK(session.shake_hands() == TlsSession::State::failed);
    CHECK(session.error() == "http request");
    CHECK(session.shake_hands() == TlsSession::State::failed);
  }
  SECTION("TLS 1.1") {
    Ends ends;
    TlsClient client(ends.client.get(), {}, TLS1_1_VERSION);
    TlsSession session(*context, ends.server.get());
    CHECK(shake_hands(client, session) == TlsSession::State::failed);
  }
  SECTION("a peer that is gone in mid-handshake") {
    Ends ends;
    TlsSession session(*context, ends.server.get());
    CHECK(session.shake_hands() == TlsSession::State::waits);
    ends.client.close();
    const auto state = session.shake_hands();
    CHECK((state == TlsSession::State::failed || state == TlsSession::State::closed));
    CHECK(session.is_lost());
  }
}

TEST_CASE("tls: a connection that goes away while hands are shaken is lost, wherever it was cut",
          "[io][tls]") {
  const TlsFolder folder;
  const auto context = *TlsContext::load(folder.make("a"));
  rt::io::TlsTrust anybody;
  anybody.verify = false;
  const auto trust = *TlsContext::trust(anybody);
  const auto take = [](int fd) {
    std::string bytes(1 << 16, '\0');
    bytes.resize(static_cast<std::size_t>(::recv(fd, bytes.data(), bytes.size(), 0)));
    return bytes;
  };
  const auto send = [](int fd, const std::string& bytes) {
    CHECK(::send(fd, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  };
  std::size_t size = 1;
  for (std::size_t cut = 0; cut < size; cut += 37) {
    CAPTURE(cut);
    Ends near;
    Ends far;
    TlsSession client(*trust, near.client.get(), "localhost");
    TlsSession server(*context, far.server.get());
    REQUIRE(client.shake_hands() == TlsSession::State::waits);
    send(far.client.get(), take(near.server.get()));
    REQUIRE(server.shake_hands() == TlsSession::State::waits);
    const std::string flight = take(far.client.get());
    size = flight.size();
    if (cut > 0) send(near.server.get(), flight.substr(0, cut));
    near.server.close();
    CHECK(client.shake_hands() != TlsSession::State::ready);
    CHECK(client.is_lost());
  }
}

TEST_CASE("tls: writing to a peer that is gone fails without a signal", "[io][tls]") {
  const TlsFolder folder;
  const auto context = *TlsContext::load(folder.make("a"));
  Ends ends;
  TlsClient client(ends.client.get(), {"h2"});
  TlsSession session(*context, ends.server.get());
  REQUIRE(shake_hands(client, session) == TlsSession::State::ready);
  ends.client.close();
  CHECK(session.write("x").state == TlsSession::State::failed);
  CHECK(session.write("x").state == TlsSession::State::failed);
  CHECK(session.is_lost());
}
