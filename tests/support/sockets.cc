#include "tests/support/sockets.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "absl/strings/numbers.h"

namespace mtp::tests {
namespace {

constexpr std::string_view kLoopback = "127.0.0.1:";
constexpr int kBacklog = 128;

template <typename Bytes>
Address MakeAddress(const Bytes& bytes) {
  Address address{.size = sizeof bytes};
  std::memcpy(&address.bytes, &bytes, sizeof bytes);
  return address;
}

}  // namespace

Descriptor::~Descriptor() {
  if (open()) close(number_);
}

void Must(bool done, const std::string& what) {
  if (done) return;
  std::perror(what.c_str());
  std::abort();
}

Address ParseAddress(const std::string& text) {
  if (text.starts_with('/')) {
    sockaddr_un local{.sun_family = AF_UNIX, .sun_path = {}};
    Must(text.size() < sizeof local.sun_path, text + " is too long");
    text.copy(local.sun_path, text.size());
    return MakeAddress(local);
  }
  uint32_t port = 0;
  Must(text.starts_with(kLoopback) &&
           absl::SimpleAtoi(text.substr(kLoopback.size()), &port) && port > 0 &&
           port < 65536,
       text + " is neither a port of 127.0.0.1 nor a path");
  sockaddr_in loopback{};
  loopback.sin_family = AF_INET;
  loopback.sin_port = htons(static_cast<uint16_t>(port));
  loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return MakeAddress(loopback);
}

Descriptor StreamSocket(const Address& address, int flags) {
  const int family = address.bytes.ss_family;
  Descriptor made(socket(family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  Must(made.open(), "socket");
  const int yes = 1;
  if (family == AF_INET) {
    setsockopt(made.number(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  }
  return made;
}

Descriptor ListenAt(const Address& address, int flags) {
  Descriptor listener = StreamSocket(address, flags);
  const int yes = 1;
  if (address.bytes.ss_family == AF_UNIX) {
    unlink(reinterpret_cast<const sockaddr_un*>(address.get())->sun_path);
  } else {
    setsockopt(listener.number(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  }
  Must(bind(listener.number(), address.get(), address.size) == 0, "bind");
  Must(listen(listener.number(), kBacklog) == 0, "listen");
  return listener;
}

}  // namespace mtp::tests
