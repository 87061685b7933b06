// The program that the exec benchmark runs: static, so that one exec is one file, and gone at once.
int main(void) { return 0; }
