// The process around one link of the test lab: listens on 127.0.0.1 where it is started, then moves into another
// network namespace to dial its target (a socket stays in the namespace that made it), so that a machine without any
// route to the client gets one visible port. Prints that port. It dies with the process that started it.
#include <arpa/inet.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/un.h>

#include <csignal>

#include "tests/lab/link.h"

namespace {

using otto::lab::die;

int listen_tcp(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(fd, 128) != 0) die("listen");
  return fd;
}

int listen_unix(const char* path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (std::strlen(path) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    die(path);
  }
  std::strcpy(address.sun_path, path);
  unlink(path);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(fd, 16) != 0) die(path);
  return fd;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    std::fprintf(stderr,
                 "usage: link_proxy LISTEN_PORT|0 NETNS_FILE|- TARGET_IP TARGET_PORT CONTROL_SOCKET [key=value]...\n");
    return 2;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGPIPE, SIG_IGN);
  const int listener = listen_tcp(std::atoi(argv[1]));
  const int control = listen_unix(argv[5]);
  if (std::strcmp(argv[2], "-") != 0) {
    const int netns = open(argv[2], O_RDONLY | O_CLOEXEC);
    if (netns < 0 || setns(netns, CLONE_NEWNET) != 0) die(argv[2]);
    close(netns);
  }
  sockaddr_in target{};
  target.sin_family = AF_INET;
  target.sin_port = htons(static_cast<uint16_t>(std::atoi(argv[4])));
  if (inet_pton(AF_INET, argv[3], &target.sin_addr) != 1) die(argv[3]);
  otto::lab::Link link(listener, control, target);
  for (int i = 6; i < argc; ++i) {
    if (!link.apply(argv[i])) die(argv[i]);
  }
  sockaddr_in bound{};
  socklen_t size = sizeof bound;
  getsockname(listener, reinterpret_cast<sockaddr*>(&bound), &size);
  std::printf("%d\n", ntohs(bound.sin_port));
  std::fflush(stdout);
  link.run();
}
