import matplotlib.pyplot as plt


def main():
    fig, ax = plt.subplots()
    ax.plot([1, 2, 3], [2, 4, 8], "r--^")
    fig.savefig("main.png")


if __name__ == "__main__":
    main()
