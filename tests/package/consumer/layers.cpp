// The other layers link, too, each with the libraries that it needs.
#include <cstdio>

#include "fitting/laws/law.h"
#include "simulators/task/text.h"

int main() {
  std::printf("%.*s\n", static_cast<int>(bitlaw::find_law("chinchilla").equation().size()),
              bitlaw::find_law("chinchilla").equation().data());
  return bitlaw::read_text({}).empty() ? 0 : 1;
}
