import matplotlib.pyplot as plt

plt.figure(1)
plt.plot([1, 2, 3])
plt.figure(2)
plt.bar([1, 2, 3], [3, 2, 1])
plt.title("the second one")
plt.show()
