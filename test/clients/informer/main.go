// Follows the Services of one namespace with client-go's shared informer and prints every event as a line: ADD, UPDATE or DELETE, the name, the
// resourceVersion and the value of the annotation "count". Prints SYNCED once its first list is in. Usage: informer KUBECONFIG NAMESPACE
package main

import (
	"fmt"
	"os"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

func tell(what string, object interface{}) {
	if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
		what, object = "DELETE-UNSEEN", gone.Obj
	}
	service := object.(*v1.Service)
	fmt.Println(what, service.Name, service.ResourceVersion, service.Annotations["count"])
}

// One group and version: all that the program speaks of.
func services(kubeconfig string) (rest.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	scheme := runtime.NewScheme()
	if err := v1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	metav1.AddToGroupVersion(scheme, v1.SchemeGroupVersion)
	config.GroupVersion = &v1.SchemeGroupVersion
	config.APIPath = "/api"
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	config.QPS = -1
	return rest.RESTClientFor(config)
}

func main() {
	client, err := services(os.Args[1])
	if err != nil {
		panic(err)
	}
	source := cache.NewListWatchFromClient(client, "services", os.Args[2], fields.Everything())
	informer := cache.NewSharedIndexInformer(source, &v1.Service{}, 0, cache.Indexers{})
	informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object interface{}) { tell("ADD", object) },
		UpdateFunc: func(_, object interface{}) { tell("UPDATE", object) },
		DeleteFunc: func(object interface{}) { tell("DELETE", object) },
	})
	stop := make(chan struct{})
	go informer.Run(stop)
	cache.WaitForCacheSync(stop, informer.HasSynced)
	fmt.Println("SYNCED")
	// Ends when its input does.
	os.Stdin.Read(make([]byte, 1))
}
