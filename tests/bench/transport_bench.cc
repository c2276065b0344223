// Otto's ssh beside OpenSSH's, to the same host in the same run: a cold command, bulk up, bulk down.
//
//   transport_bench HOST [MEGABYTES]     HOST as ~/.ssh/config knows it; keys or agent only
//
// Prints each figure, OpenSSH's, and their ratio (below 1: otto is faster).
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>

#include "transport/connect.h"
#include "transport/os/subprocess.h"
#include "transport/remote.h"

namespace {

using namespace otto;             // NOLINT(google-build-using-namespace)
using namespace otto::transport;  // NOLINT(google-build-using-namespace)

template <typename T>
T must(Result<T> result) {
  if (result.ok()) return std::move(result).value();
  fmt::print(stderr, "{}\n{}\n", result.error().message, result.error().hint);
  std::exit(1);
}

double seconds(const std::function<void()>& work) {
  const auto begin = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

void print(const char* what, double ours, double theirs, double megabytes) {
  const auto rate = [&](double time) { return megabytes > 0 ? fmt::format(" ({:.0f} MB/s)", megabytes / time) : ""; };
  fmt::print("{:12} otto {:.3f} s{}   ssh {:.3f} s{}   ratio {:.2f}\n", what, ours, rate(ours), theirs, rate(theirs),
             ours / theirs);
}

Route route_to(const std::string& host) {
  Route route;
  route.target.id = host;
  route.target.host = host;
  return route;
}

void read_out(Process& process) {
  while (must(process.read())) {
  }
}

void ssh(const std::string& host, const std::string& rest) {
  const auto output = must(run_and_collect({"sh", "-c", rest, "bench", host}, {}, {}));
  if (output.wait_status != 0) fmt::print(stderr, "ssh failed: {}\n", output.err);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: transport_bench HOST [MEGABYTES]\n");
    return 2;
  }
  const std::string host = argv[1];
  const long megabytes = argc > 2 ? std::atol(argv[2]) : 512;
  const std::string bytes = std::to_string(megabytes * 1'000'000);

  const double cold = seconds([&] {
    Remote remote(must(connect(route_to(host), {})));
    must(remote.run({.text = "true"}));
  });
  print("cold true", cold, seconds([&] { ssh(host, "ssh $1 true"); }), 0);

  const auto transport = must(connect(route_to(host), {}));
  const double up = seconds([&] {
    const auto process = must(transport->start(Command{"cat >/dev/null"}));
    const std::string block(1'000'000, 'x');
    for (long i = 0; i < megabytes; ++i) {
      if (!process->write(block).ok()) std::exit(1);
    }
    static_cast<void>(process->close_stdin());
    static_cast<void>(must(process->wait()));
  });
  print("up", up, seconds([&] { ssh(host, "head -c " + bytes + " /dev/zero | ssh $1 'cat >/dev/null'"); }),
        static_cast<double>(megabytes));

  const double down = seconds([&] {
    const auto process = must(transport->start(Command{"head -c " + bytes + " /dev/zero"}));
    read_out(*process);
  });
  print("down", down, seconds([&] { ssh(host, "ssh $1 'head -c " + bytes + " /dev/zero' >/dev/null"); }),
        static_cast<double>(megabytes));
  return 0;
}
