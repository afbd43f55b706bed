// Opens the file in argv[1] by the 32-bit system call gate of a 64-bit program. Linked without
// position independence, so that the path can lie below 4 GiB. Exit code 2: the gate is closed.
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

int main(int argc, char **argv) {
    if (argc < 2) return 1;
    char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (low == MAP_FAILED || strlen(argv[1]) >= 4096) return 1;
    strcpy(low, argv[1]);
    long result;
    // open is number 5 there; flags and mode are 0.
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(5), "b"(low), "c"(0), "d"(0)
                     : "memory", "r8", "r9", "r10", "r11");
    int number = (int)result;
    if (number == -38) return 2;
    if (number < 0) {
        fprintf(stderr, "open: %d\n", number);
        return 1;
    }
    return 0;
}
