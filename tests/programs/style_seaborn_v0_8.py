import matplotlib.pyplot as plt

plt.style.use(["seaborn-v0_8-whitegrid", "seaborn-v0_8-talk"])
plt.plot([3, 1, 4, 1, 5, 9, 2, 6], marker="s")
plt.title("Digits")
plt.show()
