import threading

import matplotlib.pyplot as plt

results = {}
workers = [threading.Thread(target=lambda i=i: results.update({i: i * i})) for i in range(4)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
plt.bar(list(results), [results[k] for k in results])
plt.show()
