import matplotlib.pyplot as plt

for n in range(1, 4):
    plt.figure(figsize=(4, 3))
    plt.plot([i**n for i in range(5)])
    plt.title(f"power {n}")
    plt.savefig(f"power_{n}.png")
    plt.close()
